/** Conditions as people write them, on every key that a registry knows, and what is decided. */
import { describe } from "bun:test";
import { facts } from "../../tests/support/access-request.ts";
import {
  account,
  decides,
  deployer,
  identities,
  jo,
  kim,
  noIdentity,
  other,
  partner,
  pull,
  push,
  user,
  web,
} from "../../tests/support/decision-table.ts";
import { allow, policy } from "../../tests/support/policy-world.ts";
import { repositoryArn } from "./access.ts";

describe("conditions", () => {
  const when = (condition: object, rest: object = {}) =>
    identities({ ...user(policy(allow("ecr:*", { Condition: condition }))), ...rest });
  const from = (overrides: Parameters<typeof facts>[0]) => ({ request: facts(overrides) });

  decides(
    "of the address",
    when({ IpAddress: { "aws:SourceIp": ["192.0.2.0/24", "2001:db8::/32"] } }),
    [jo, pull, web, "allowed"],
    [jo, pull, web, "allowed", from({ sourceAddress: "::ffff:192.0.2.7" })],
    [jo, pull, web, "allowed", from({ sourceAddress: "2001:db8::1" })],
    [jo, pull, web, noIdentity, from({ sourceAddress: "198.51.100.7" })],
    [jo, pull, web, noIdentity, from({ endpoint: { id: "vpce-1" } })],
  );
  decides(
    "of the private endpoint",
    when({ StringEquals: { "aws:SourceVpce": "vpce-1", "aws:SourceVpc": "vpc-1" } }),
    [jo, pull, web, noIdentity],
    [jo, pull, web, "allowed", from({ endpoint: { id: "vpce-1", network: "vpc-1" } })],
    [jo, pull, web, noIdentity, from({ endpoint: { id: "vpce-1" } })],
  );
  decides(
    "of transport, time and region",
    when({
      Bool: { "aws:SecureTransport": "true" },
      DateLessThan: { "aws:CurrentTime": "2027-02-01T00:00:00Z" },
      NumericGreaterThanEquals: { "aws:EpochTime": "1800000000" },
      StringEquals: { "aws:requestedregion": "us-east-1" },
    }),
    [jo, pull, web, "allowed"],
    [jo, pull, web, noIdentity, from({ secure: false })],
    [jo, pull, web, noIdentity, from({ time: 1_799_999_999_000 })],
    [jo, pull, web, noIdentity, from({ time: Date.parse("2027-02-01T00:00:00Z") })],
  );
  decides(
    "of who asks",
    {
      identities: [
        user(),
        { principal: deployer, tags: { team: "blue", stage: "dev" } },
        { principal: kim, policies: [policy(allow("*"))] },
      ],
      registryPolicies: {
        [account]: policy(
          allow(pull, {
            Principal: "*",
            Condition: {
              StringEquals: { "aws:PrincipalAccount": [partner], "aws:PrincipalType": "User" },
              StringLike: { "aws:userid": "AIDA*", "aws:username": "k?m" },
              Null: { "aws:TokenIssueTime": "true" },
            },
          }),
          allow(push, {
            Principal: "*",
            Condition: {
              // The session's tag comes before the role's.
              StringEquals: { "aws:PrincipalTag/Stage": "prod", "aws:PrincipalTag/team": "blue" },
              ArnLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/ci/*" },
              Bool: { "aws:MultiFactorAuthPresent": "false" },
              Null: { "aws:username": "true", "aws:TokenIssueTime": "false" },
            },
          }),
        ),
      },
    },
    [kim, pull, web, "allowed"],
    [jo, pull, web, noIdentity],
    [deployer, push, web, "allowed"],
    [jo, push, web, noIdentity],
  );
  decides(
    "of the repository's tags: attribute-based access",
    {
      identities: [
        {
          ...user(
            policy(
              allow([pull, push], {
                Condition: {
                  StringEquals: {
                    "aws:ResourceTag/team": "${aws:PrincipalTag/team}",
                    "ecr:ResourceTag/TEAM": "${aws:PrincipalTag/team}",
                  },
                },
              }),
            ),
          ),
          tags: { team: "blue" },
        },
      ],
      repositoryTags: {
        [`${account}/prod-web`]: { Team: "blue" },
        [`${account}/team/web`]: { team: "red" },
      },
    },
    [jo, push, web, "allowed"],
    [jo, push, other, noIdentity],
    [jo, push, repositoryArn("us-east-1", account, "untagged"), noIdentity],
  );
  decides(
    "of the tags in the request",
    when({
      StringEquals: { "aws:RequestTag/team": "blue" },
      "ForAllValues:StringEquals": { "aws:TagKeys": ["team", "stage"] },
    }),
    [
      jo,
      "ecr:CreateRepository",
      web,
      "allowed",
      { conditions: { "aws:RequestTag/Team": "blue", "aws:TagKeys": ["team"] } },
    ],
    [
      jo,
      "ecr:CreateRepository",
      web,
      noIdentity,
      { conditions: { "aws:RequestTag/team": "blue", "aws:TagKeys": ["team", "owner"] } },
    ],
    [jo, "ecr:CreateRepository", web, noIdentity],
  );
  decides(
    "an operation cannot set what the request tells",
    when({ StringEquals: { "aws:PrincipalAccount": partner } }),
    [jo, pull, web, noIdentity, { conditions: { "aws:PrincipalAccount": partner } }],
  );
  decides(
    "of the account setting, of user agent and referer",
    identities(
      user(
        policy(
          allow("ecr:PutAccountSetting", {
            Condition: { StringEquals: { "ecr:AccountSetting": "BLOB_MOUNTING" } },
          }),
          allow(pull, {
            Condition: {
              StringLike: { "aws:UserAgent": "docker/*", "aws:referer": "https://example.com/*" },
            },
          }),
        ),
      ),
    ),
    [
      jo,
      "ecr:PutAccountSetting",
      "*",
      "allowed",
      { conditions: { "ecr:AccountSetting": "BLOB_MOUNTING" } },
    ],
    [
      jo,
      "ecr:PutAccountSetting",
      "*",
      noIdentity,
      { conditions: { "ecr:AccountSetting": "REGISTRY_POLICY_SCOPE" } },
    ],
    [jo, pull, web, noIdentity],
    [
      jo,
      pull,
      web,
      "allowed",
      from({ userAgent: "docker/27.0", referer: "https://example.com/a" }),
    ],
  );
});
