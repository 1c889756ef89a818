/** Policies as people write them, and what is decided by them. */
import { describe } from "bun:test";
import { facts, userPrincipal } from "../../tests/support/access-request.ts";
import {
  account,
  decides,
  deployer,
  identities,
  jo,
  kim,
  noIdentity,
  noResource,
  other,
  partner,
  pull,
  push,
  root,
  user,
  web,
} from "../../tests/support/decision-table.ts";
import { allow, deny, policy } from "../../tests/support/policy-world.ts";
import { type Principal, repositoryArn } from "./access.ts";
import { rootPrincipal } from "./credentials.ts";

describe("within an account", () => {
  decides(
    "without policies, root may do everything in its own account and nobody else anything",
    identities(user()),
    [root, push, web, "allowed"],
    [root, "ecr:GetAuthorizationToken", "*", "allowed"],
    [root, "iam:CreateUser", `arn:aws:iam::${account}:user/jo`, "allowed"],
    [root, push, repositoryArn("us-east-1", partner, "prod-web"), noResource],
    [jo, push, web, noIdentity],
    [jo, "ecr:GetAuthorizationToken", "*", noIdentity],
    [userPrincipal(account, "gone"), push, web, noIdentity],
  );

  decides(
    "a user limited to prod-*",
    identities(
      user(
        policy(
          allow("ecr:GetAuthorizationToken"),
          allow([pull, push], { Resource: repositoryArn("*", account, "prod-*") }),
        ),
      ),
    ),
    [jo, "ecr:GetAuthorizationToken", "*", "allowed"],
    [jo, pull, web, "allowed"],
    [jo, pull, other, noIdentity],
    [jo, "ecr:BatchDeleteImage", web, noIdentity],
    [jo, pull, repositoryArn("us-east-1", partner, "prod-web"), noResource],
  );

  decides(
    "an action without a resource needs Resource *",
    identities(
      user(policy(allow("ecr:*", { Resource: repositoryArn("us-east-1", account, "*") }))),
    ),
    [jo, pull, other, "allowed"],
    [jo, "ecr:DescribeRegistry", "*", noIdentity],
    [jo, "ecr:DescribeRepositories", repositoryArn("us-east-1", account, "*"), "allowed"],
  );

  decides(
    "an explicit deny wins, wherever it is",
    {
      identities: [
        user(policy(allow("*")), policy(deny("ecr:Batch*", { Resource: web }))),
        { principal: deployer, policies: [policy(allow("ecr:*"))] },
      ],
      repositoryPolicies: {
        [`${account}/team/web`]: policy({
          Sid: "no pushes by hand",
          Effect: "Deny",
          Principal: "*",
          Action: "ecr:PutImage",
          Condition: { ArnNotLike: { "aws:PrincipalArn": `arn:aws:iam::${account}:role/ci/*` } },
        }),
      },
      registryPolicies: {
        [account]: policy(deny("ecr:DeleteRepository", { Principal: "*" })),
      },
    },
    [jo, pull, web, "with an explicit deny in an identity-based policy"],
    [jo, pull, other, "allowed"],
    [jo, push, other, "with an explicit deny in a resource-based policy"],
    [deployer, push, other, "allowed"],
    [jo, "ecr:DeleteRepository", other, "with an explicit deny in a resource-based policy"],
    [root, "ecr:DeleteRepository", other, "with an explicit deny in a resource-based policy"],
  );

  decides(
    "the policy of a repository that names a user or a role grants by itself",
    {
      identities: [user(), { principal: deployer }],
      repositoryPolicies: {
        [`${account}/prod-web`]: policy({
          Effect: "Allow",
          Principal: { AWS: [jo.arn, deployer.identityArn] },
          Action: ["ecr:Batch*", "ecr:GetDownloadUrlForLayer"],
        }),
      },
    },
    [jo, pull, web, "allowed"],
    [deployer, pull, web, "allowed"],
    [jo, push, web, noIdentity],
    [jo, pull, other, noIdentity],
    [userPrincipal(account, "jim"), pull, web, noIdentity],
  );

  decides(
    "one that names the account leaves it to the identities' policies",
    {
      identities: [user(), { principal: deployer, policies: [policy(allow(pull))] }],
      repositoryPolicies: {
        [`${account}/prod-web`]: policy(allow("ecr:*", { Principal: { AWS: account } })),
      },
    },
    [jo, pull, web, noIdentity],
    [deployer, pull, web, "allowed"],
    [deployer, push, web, noIdentity],
  );

  decides(
    "GetAuthorizationToken and its like are for identity policies alone",
    {
      identities: [user()],
      registryPolicies: { [account]: policy(allow("ecr:*", { Principal: { AWS: jo.arn } })) },
    },
    [jo, "ecr:GetAuthorizationToken", "*", noIdentity],
    [jo, "ecr:CreatePullThroughCacheRule", "*", noIdentity],
    [jo, "ecr:DescribeRegistry", "*", "allowed"],
    [jo, pull, web, "allowed"],
  );

  decides(
    "a boundary and session policies take away and never give",
    {
      identities: [
        {
          principal: jo,
          policies: [policy(allow("ecr:*"))],
          boundary: policy(allow([pull, push])),
        },
        { principal: deployer, policies: [policy(allow("ecr:*"))] },
        { principal: kim, boundary: policy(allow("*")) },
      ],
      repositoryPolicies: {
        [`${account}/team/web`]: policy(allow("ecr:*", { Principal: "*" })),
      },
    },
    [jo, pull, web, "allowed"],
    [jo, "ecr:DeleteRepository", web, "because no permissions boundary"],
    [jo, "ecr:DeleteRepository", other, "because no permissions boundary"],
    [jo, "iam:CreateUser", "*", noIdentity],
    [kim, pull, repositoryArn("us-east-1", partner, "web"), noIdentity],
    [withSession(policy(allow(pull))), pull, web, "allowed"],
    [withSession(policy(allow(pull)), policy(allow(push))), push, web, "allowed"],
    [withSession(policy(allow(pull))), push, web, "because no session policy"],
    [withSession(policy(allow(pull))), push, other, "because no session policy"],
    [
      withSession(policy(allow("*"), deny(push))),
      push,
      web,
      "with an explicit deny in a session policy",
    ],
  );
});

function withSession(...policies: object[]): Principal {
  const documents = policies.map((document) => JSON.stringify(document));
  return { ...deployer, session: { issuedAt: 0, tags: {}, policies: documents } };
}

describe("across accounts", () => {
  const kimPulls = { principal: kim, policies: [policy(allow(pull))] };
  const share = (AWS: string, rest: object = {}) => ({
    [`${account}/prod-web`]: policy(allow("ecr:*", { Principal: { AWS }, ...rest })),
  });

  decides(
    "the repository's policy must allow, and so must the caller's own",
    { identities: [kimPulls], repositoryPolicies: share(partner) },
    [kim, pull, web, "allowed"],
    [kim, push, web, noIdentity],
    [kim, pull, other, noResource],
    [rootPrincipal(partner), push, web, "allowed"],
  );
  decides(
    "a policy that names the user is no more without the user's own",
    { identities: [kimPulls], repositoryPolicies: share(kim.arn) },
    [kim, pull, web, "allowed"],
    [kim, push, web, noIdentity],
    [rootPrincipal(partner), pull, web, noResource],
  );
  decides("nothing is shared", identities(kimPulls), [kim, pull, web, noResource]);
  decides(
    "the registry policy can share too, in scope V2",
    {
      identities: [kimPulls],
      registryPolicies: {
        [account]: policy(
          allow(["ecr:ReplicateImage", "ecr:Batch*"], {
            Principal: { AWS: `arn:aws:iam::${partner}:root` },
            Resource: repositoryArn("us-east-1", account, "prod-*"),
          }),
        ),
      },
    },
    [kim, pull, web, "allowed"],
    [kim, pull, other, noResource],
    [rootPrincipal(partner), "ecr:ReplicateImage", web, "allowed"],
  );
  decides(
    "in scope V1 it counts for replication, import and creation only",
    {
      identities: [kimPulls],
      scope: "V1",
      registryPolicies: { [account]: policy(allow("ecr:*", { Principal: { AWS: partner } })) },
    },
    [kim, pull, web, noResource],
    [rootPrincipal(partner), "ecr:ReplicateImage", web, "allowed"],
    [rootPrincipal(partner), "ecr:CreateRepository", web, "allowed"],
    [rootPrincipal(partner), push, web, noResource],
  );
  decides(
    "only within the organization",
    {
      identities: [kimPulls],
      repositoryPolicies: {
        ...share("*", { Condition: { StringEquals: { "aws:PrincipalOrgID": "o-portolan" } } }),
        [`${account}/team/web`]: policy(
          allow(pull, {
            Principal: "*",
            Condition: { StringEquals: { "aws:PrincipalOrgID": "o-other" } },
          }),
        ),
      },
    },
    [kim, pull, web, "allowed"],
    [kim, pull, other, noResource],
  );
  decides(
    "a NotPrincipal in a deny spares whom it lists, not their whole account",
    {
      identities: [
        user(policy(allow("ecr:*"))),
        { principal: deployer, policies: [policy(allow("ecr:*"))] },
      ],
      repositoryPolicies: {
        [`${account}/prod-web`]: policy({
          Effect: "Deny",
          NotPrincipal: { AWS: [jo.arn, `arn:aws:iam::${account}:root`] },
          Action: "ecr:*",
        }),
      },
    },
    [jo, push, web, "allowed"],
    [root, push, web, "allowed"],
    [deployer, push, web, "with an explicit deny in a resource-based policy"],
  );
});

describe("the trust policy of a role", () => {
  const role = `arn:aws:iam::${account}:role/deployer`;
  const assume = "sts:AssumeRole";
  const trusting = (Principal: unknown, rest: object = {}) => ({
    trustPolicy: JSON.stringify(policy({ Effect: "Allow", Principal, Action: assume, ...rest })),
  });
  const world = identities(
    user(),
    { principal: kim, policies: [policy(allow(assume, { Resource: role }))] },
    { principal: userPrincipal(account, "max"), policies: [policy(allow("sts:*"))] },
  );
  const max = userPrincipal(account, "max");
  decides(
    "must allow; whom it names needs nothing else in the same account",
    world,
    [jo, assume, role, "allowed", trusting({ AWS: jo.arn })],
    [jo, assume, role, noIdentity, trusting({ AWS: account })],
    [max, assume, role, "allowed", trusting({ AWS: account })],
    [max, assume, role, "because no role trust policy", trusting({ AWS: jo.arn })],
    [kim, assume, role, "allowed", trusting({ AWS: partner })],
    [kim, assume, role, "allowed", trusting({ AWS: kim.arn })],
    [kim, assume, role, "because no role trust policy", trusting({ AWS: account })],
    [kim, assume, role, "because no role trust policy", trusting({ Service: "ec2.amazonaws.com" })],
    [kim, assume, `${role}2`, noIdentity, trusting({ AWS: partner })],
    [
      kim,
      assume,
      role,
      "with an explicit deny in the role trust policy",
      trusting({ AWS: partner }, { Effect: "Deny" }),
    ],
  );
  const withId = { Condition: { StringEquals: { "sts:ExternalId": "42" } } };
  decides(
    "may ask for an external id",
    world,
    [kim, assume, role, "because no role trust policy", trusting({ AWS: partner }, withId)],
    [
      kim,
      assume,
      role,
      "allowed",
      { ...trusting({ AWS: partner }, withId), conditions: { "sts:ExternalId": "42" } },
    ],
  );
});

describe("special ways", () => {
  decides(
    "an endpoint policy must allow what comes through the endpoint",
    {
      ...identities(user(policy(allow("ecr:*")))),
      endpointPolicy: policy(
        allow(pull, { Principal: "*" }),
        deny("ecr:DeleteRepository", { Principal: "*" }),
      ),
    },
    [jo, push, web, "allowed"],
    [jo, pull, web, "allowed", { request: facts({ endpoint: { id: "vpce-1" } }) }],
    [
      jo,
      push,
      web,
      "because no VPC endpoint policy",
      { request: facts({ endpoint: { id: "vpce-1" } }) },
    ],
    [
      root,
      "ecr:DeleteRepository",
      web,
      "with an explicit deny in a VPC endpoint policy",
      { request: facts({ endpoint: { id: "vpce-1" } }) },
    ],
  );
  decides(
    "a policy that locks everybody out can be taken away by the account's own root",
    {
      identities: [user(policy(allow("*")))],
      repositoryPolicies: { [`${account}/prod-web`]: policy(deny("*", { Principal: "*" })) },
      registryPolicies: { [account]: policy(deny("*", { Principal: "*" })) },
    },
    [root, pull, web, "with an explicit deny in a resource-based policy"],
    [root, "ecr:DeleteRepositoryPolicy", web, "allowed"],
    [root, "ecr:DeleteRegistryPolicy", "*", "allowed"],
    [jo, "ecr:DeleteRepositoryPolicy", web, "with an explicit deny in a resource-based policy"],
    [
      rootPrincipal(partner),
      "ecr:DeleteRepositoryPolicy",
      web,
      "with an explicit deny in a resource-based policy",
    ],
  );
  decides(
    "a registry-level action in another account's registry needs that registry's policy",
    {
      identities: [user(policy(allow("ecr:*")))],
      registryPolicies: {
        [partner]: policy(
          allow("ecr:DescribePullThroughCacheRules", { Principal: { AWS: account } }),
        ),
      },
    },
    [jo, "ecr:DescribePullThroughCacheRules", "*", "allowed", { account: partner }],
    [jo, "ecr:DescribeRegistry", "*", noResource, { account: partner }],
  );
  decides(
    "who has the name of somebody who is gone does not have the rights",
    identities(user(policy(allow("*")))),
    [{ ...jo, userId: "AIDAOTHEROTHEROTHER77" }, pull, web, noIdentity],
  );
});
