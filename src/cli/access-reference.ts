/** The reference of permissions, as Markdown, from the tables that decide. */
import { globalConditionKeys, tagConditionKeys } from "../access/condition-values.ts";
import { rootPrincipal } from "../access/credentials.ts";
import { denialMessage, type PolicyKind, policyKindNames } from "../access/decision.ts";
import {
  ecrActions,
  identityPolicyOnlyActions,
  registryPolicyActionsV1,
} from "../access/ecr-actions.ts";
import { managedPolicies } from "../access/managed-policies.ts";
import { conditionOperators } from "../access/policy/condition-operators.ts";
import {
  type PolicyRules,
  type PolicyType,
  policyCharactersLimits,
  policyRules,
} from "../access/policy/policy-types.ts";
import { endpoints } from "../oci/router.ts";

const account = "111122223333";
const code = (text: string) => `\`${text}\``;
const list = (texts: Iterable<string>) => [...texts].map(code).join(", ");

const conditionKeysOfOperations: readonly (readonly [string, string])[] = [
  ["aws:RequestTag/…", "CreateRepository, TagResource: a tag in the request"],
  [
    "aws:TagKeys",
    "CreateRepository, TagResource, UntagResource: the keys of the tags in the request",
  ],
  ["ecr:AccountSetting", "GetAccountSetting, PutAccountSetting: the setting's name"],
];

export function accessPage(generated: string): string {
  return `# Permissions

${generated}

What a request needs, and what policies may say. How a decision comes about is told in
[Permissions](../concepts/permissions.md).

## Requests to the registry

Every request needs a registry token or an access key. The resource is the repository,
\`arn:aws:ecr:REGION:ACCOUNT:repository/NAME\`; of the catalogue it is \`repository/*\`.

| Request | Actions |
|---|---|
${endpoints.map(endpointRow).join("\n")}

- A push to a repository that does not exist needs \`ecr:CreateRepository\` too.
- A blob is mounted from another repository when the caller may \`ecr:GetDownloadUrlForLayer\` there;
  otherwise the answer is an ordinary upload.
- The catalogue lists the repositories on which the caller may \`ecr:BatchGetImage\`.

Operations of the ECR API need the action of their own name, on the repository or, where they have
none, on \`*\`. ListImageReferrers needs \`ecr:BatchGetImage\`; tags in CreateRepository need
\`ecr:TagResource\` too.

## Actions of Amazon ECR

${list(ecrActions.map((action) => `ecr:${action}`))}.

- Only identity policies can allow ${list(identityPolicyOnlyActions)}.
- In scope V1 the registry policy counts for ${list(registryPolicyActionsV1)} alone.

## Types of policies

| Policy | Principal | Resource | Sid | Actions |
|---|---|---|---|---|
${Object.entries(policyRules)
  .map(([type, rules]) => typeRow(type as PolicyType, rules))
  .join("\n")}

Limits in characters, white space not counted by IAM: ${Object.entries(policyCharactersLimits)
    .map(([name, limit]) => `${words(name)} ${limit.toLocaleString("en")}`)
    .join(", ")}.

## Condition operators

${list(conditionOperators)}.

All but \`Null\` can end with \`IfExists\`; all can begin with \`ForAnyValue:\` or \`ForAllValues:\`.

## Condition keys

Of every request, as far as it has them: ${list(globalConditionKeys)}.

Of tags: ${list(tagConditionKeys.map((key) => `${key}/…`))}. The keys of resources are those of the
repository; the tags of a session come before those of its role.

| Of some operations | |
|---|---|
${conditionKeysOfOperations.map(([key, what]) => `| ${code(key)} | ${what} |`).join("\n")}

## Refusals

${Object.keys(policyKindNames)
  .flatMap((kind) => refusals(kind as PolicyKind))
  .map((text) => `- ${text}`)
  .join("\n")}

## Managed policies

${[...managedPolicies.keys()].map((arn) => `- ${code(arn)}`).join("\n")}
`;
}

function endpointRow(endpoint: (typeof endpoints)[number]): string {
  const { name, method, action, furtherActions = [] } = endpoint;
  const further = furtherActions.map((each) => `, and ${code(each.action)} when ${each.when}`);
  const actions = action === undefined ? "none" : code(action) + further.join("");
  return `| ${code(name)}, ${method} | ${actions} |`;
}

function typeRow(type: PolicyType, rules: PolicyRules): string {
  const sid = rules.strictStatementIds ? "letters and digits, unique" : "any text";
  const actions = rules.service === undefined ? "any" : code(`${rules.service}:`);
  return `| ${type} | ${rules.principal} | ${rules.resource} | ${sid} | ${actions} |`;
}

/** `roleInline`, with spaces. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function refusals(kind: PolicyKind): string[] {
  const about = {
    principal: rootPrincipal(account),
    permission: { action: "ACTION", resource: "RESOURCE" },
  };
  const { arn } = about.principal;
  const text = (denied: Parameters<typeof denialMessage>[1]) =>
    code(denialMessage(about, denied).replace(arn, "ARN"));
  const implicit = text({ allowed: false, kind });
  return [implicit, implicit.replace(/ because no .*/, ` ${policyKindNames[kind].deny}\``)];
}
