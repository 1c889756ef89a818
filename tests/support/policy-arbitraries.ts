/** Random policies and requests in which much of the one is about the other. */
import fc from "fast-check";
import type { Principal } from "../../src/access/access.ts";
import { rootPrincipal } from "../../src/access/credentials.ts";
import { userPrincipal } from "./access-request.ts";

const account = "111122223333";
const otherAccount = "444455556666";
const repositories = `arn:aws:ecr:us-east-1:${account}:repository`;

const sessionPrincipal: Principal = {
  kind: "assumed-role",
  account,
  arn: `arn:aws:sts::${account}:assumed-role/deployer/run-1`,
  identityArn: `arn:aws:iam::${account}:role/ci/deployer`,
  userId: "AROAABCDEFGHIJKLMNOPQ:run-1",
  session: { issuedAt: 1_799_999_000_000, policies: [], tags: {} },
};

const principals: Principal[] = [
  userPrincipal(account, "jo"),
  userPrincipal(account, "kim"),
  userPrincipal(otherAccount, "jo"),
  sessionPrincipal,
  rootPrincipal(account),
];

const actionPatterns = ["ecr:BatchGetImage", "ecr:Batch*", "ECR:*", "ecr:Put?mage", "*", "iam:*"];
const resourcePatterns = [
  "*",
  `${repositories}/web`,
  `${repositories}/prod-*`,
  `${repositories}/*`,
  `arn:aws:ecr:*:${account}:repository/team/?eb`,
  `${repositories}/\${aws:username}/*`,
  `arn:aws:ecr:us-west-2:*:repository/*`,
];
const principalNames = [
  "*",
  account,
  otherAccount,
  `arn:aws:iam::${account}:root`,
  ...principals.slice(0, 4).flatMap(({ arn, identityArn }) => [arn, identityArn]),
];

const someOf = (values: readonly string[]) =>
  fc.oneof(
    fc.constantFrom(...values),
    fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }),
  );

const textValues = someOf(["blue", "BLUE", "b*", "?lue", "${aws:username}", "team", "jo"]);
const textOperator = fc
  .tuple(
    fc.constantFrom("", "ForAnyValue:", "ForAllValues:"),
    fc.constantFrom(
      "StringEquals",
      "StringNotEquals",
      "StringEqualsIgnoreCase",
      "StringNotEqualsIgnoreCase",
      "StringLike",
      "StringNotLike",
    ),
    fc.constantFrom("", "IfExists"),
  )
  .map((parts) => parts.join(""));
const textKey = fc.constantFrom("aws:ResourceTag/Team", "aws:TagKeys", "aws:username");

const condition = fc.oneof(
  fc.record({ operator: textOperator, key: textKey, values: textValues }),
  fc.record({
    operator: fc.constantFrom("ArnLike", "ArnNotLike", "ArnEqualsIfExists"),
    key: fc.constant("aws:PrincipalArn"),
    values: someOf([
      ...principalNames.filter((name) => name.startsWith("arn")),
      "arn:aws:iam::*:user/*",
    ]),
  }),
  fc.record({
    operator: fc.constantFrom("Bool", "BoolIfExists", "Null"),
    key: fc.constantFrom("aws:SecureTransport", "aws:username"),
    values: fc.constantFrom("true", "false"),
  }),
  fc.record({
    operator: fc.constantFrom("NumericLessThan"),
    key: fc.constant("aws:EpochTime"),
    values: someOf(["1", "7", "9"]),
  }),
);

export type RandomStatement = Record<string, unknown>;

/** @param resourcePolicy with principals, as in a policy of a resource */
export function statements(resourcePolicy: boolean): fc.Arbitrary<RandomStatement> {
  return fc
    .record({
      Effect: fc.constantFrom("Allow", "Allow", "Deny"),
      action: fc.tuple(fc.constantFrom("Action", "Action", "NotAction"), someOf(actionPatterns)),
      resource: fc.tuple(
        fc.constantFrom("Resource", "Resource", "NotResource"),
        someOf(resourcePatterns),
      ),
      principal: fc.tuple(
        fc.constantFrom("Principal", "Principal", "NotPrincipal"),
        fc.oneof(
          fc.constant("*"),
          someOf(principalNames).map((AWS) => ({ AWS })),
        ),
      ),
      conditions: fc.array(condition, { maxLength: 2 }),
    })
    .map(({ Effect, action, resource, principal, conditions }) => ({
      Effect,
      [action[0]]: action[1],
      [resource[0]]: resource[1],
      ...(resourcePolicy && { [principal[0]]: principal[1] }),
      ...(conditions.length > 0 && { Condition: conditionBlock(conditions) }),
    }));
}

function conditionBlock(
  conditions: readonly { operator: string; key: string; values: unknown }[],
): Record<string, Record<string, unknown>> {
  const block: Record<string, Record<string, unknown>> = {};
  for (const { operator, key, values } of conditions) {
    block[operator] = { ...block[operator], [key]: values };
  }
  return block;
}

export const policyDocuments = (resourcePolicy: boolean) =>
  fc.record({
    Version: fc.constantFrom("2012-10-17", "2008-10-17"),
    Statement: fc.array(statements(resourcePolicy), { minLength: 1, maxLength: 4 }),
  });

export const requests = fc.record({
  action: fc.constantFrom("ecr:BatchGetImage", "ecr:PutImage", "iam:CreateUser"),
  resource: fc.constantFrom(
    ...["web", "prod-web", "team/web", "jo/web"].map((name) => `${repositories}/${name}`),
    `arn:aws:ecr:us-west-2:${otherAccount}:repository/web`,
  ),
  principal: fc.constantFrom(...principals),
  values: fc
    .record(
      {
        "aws:resourcetag/team": fc.constantFrom("blue", "Blue", "red"),
        "aws:tagkeys": fc.uniqueArray(fc.constantFrom("team", "blue", "owner"), { maxLength: 2 }),
        "aws:username": fc.constantFrom("jo", "blue"),
        "aws:securetransport": fc.constantFrom("true", "false"),
        "aws:epochtime": fc.constantFrom("5", "8"),
        "aws:principalarn": fc.constantFrom(...principals.map(({ identityArn }) => identityArn)),
      },
      { requiredKeys: [] },
    )
    .map((values): Record<string, string | readonly string[]> => values),
});
