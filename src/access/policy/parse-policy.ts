/**
 * Reads a policy's JSON and finds out whether it is good. What is wrong is said in IAM's words,
 * where they are known: `MalformedPolicyDocument` carries the message as it is.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
import { ecrActions } from "../ecr-actions.ts";
import { type ConditionOperator, findConditionOperator, isValueOf } from "./condition-operators.ts";
import { glob } from "./glob.ts";
import type {
  Condition,
  PatternElement,
  Policy,
  PolicyVersion,
  PrincipalElement,
  Statement,
} from "./policy.ts";
import {
  type PolicyRules,
  type PolicyType,
  policyCharactersLimits,
  policyRules,
} from "./policy-types.ts";

export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

const syntaxError = () => new PolicyError("Syntax errors in policy.");

/**
 * @param document JSON; longer than any policy may be is refused before it is read
 * @throws PolicyError
 */
export function parsePolicy(document: string, type: PolicyType): Policy {
  if (document.length > policyCharactersLimits.document) {
    throw new PolicyError("The policy is longer than a policy may be.");
  }
  let json: unknown;
  try {
    json = JSON.parse(document);
  } catch {
    throw new PolicyError("This policy contains invalid Json");
  }
  const members = membersOf(json, ["Version", "Id", "Statement"]);
  const rules: PolicyRules = policyRules[type];
  const list = members.Statement;
  const statements = (Array.isArray(list) ? list : [list]).map((statement, position) =>
    parseStatement(statement, position, rules),
  );
  if (statements.length === 0) throw syntaxError();
  if (rules.strictStatementIds) checkStatementIds(statements);
  const id = optionalText(members.Id);
  return { version: parseVersion(members.Version), ...(id !== undefined && { id }), statements };
}

/** An object with no members but the known ones. */
function membersOf<Name extends string>(
  value: unknown,
  names: readonly Name[],
): Partial<Record<Name, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw syntaxError();
  const known: readonly string[] = names;
  if (!Object.keys(value).every((name) => known.includes(name))) throw syntaxError();
  return value;
}

function parseVersion(value: unknown): PolicyVersion {
  if (value === undefined) return "2008-10-17";
  if (value !== "2008-10-17" && value !== "2012-10-17") throw syntaxError();
  return value;
}

function optionalText(value: unknown): string | undefined {
  if (value !== undefined && typeof value !== "string") throw syntaxError();
  return value;
}

function checkStatementIds(statements: readonly Statement[]): void {
  const ids = statements.flatMap(({ sid }) => (sid === undefined || sid === "" ? [] : [sid]));
  if (ids.some((id) => !/^[A-Za-z0-9]*$/.test(id))) {
    throw new PolicyError(
      "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
    );
  }
  if (new Set(ids).size < ids.length) {
    throw new PolicyError("Statement IDs (SID) in a single policy must be unique.");
  }
}

const statementMembers = [
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
] as const;

function parseStatement(value: unknown, position: number, rules: PolicyRules): Statement {
  const members = membersOf(value, statementMembers);
  const effect = members.Effect;
  if (effect !== "Allow" && effect !== "Deny") throw syntaxError();
  const sid = optionalText(members.Sid);
  const principal = parsePrincipal(members.Principal, members.NotPrincipal);
  checkPrincipal(principal, rules);
  const action = parsePatterns(members.Action, members.NotAction);
  if (action === undefined) throw new PolicyError("Policy statement must contain actions.");
  for (const pattern of action.patterns) checkAction(pattern, rules);
  const resource = parsePatterns(members.Resource, members.NotResource);
  checkResource(resource, rules);
  return {
    position,
    ...(sid !== undefined && { sid }),
    effect,
    ...(principal !== undefined && { principal }),
    action,
    ...(resource !== undefined && { resource }),
    conditions: parseConditions(members.Condition),
  };
}

/** One of the two, as a text or a list of texts. */
function parsePatterns(plain: unknown, negated: unknown): PatternElement | undefined {
  if (plain !== undefined && negated !== undefined) throw syntaxError();
  const value = plain === undefined ? negated : plain;
  if (value === undefined) return undefined;
  const patterns = textsOf(value);
  return patterns.length === 0 ? undefined : { negated: negated !== undefined, patterns };
}

function textsOf(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((member) => {
    if (typeof member !== "string") throw syntaxError();
    return member;
  });
}

function checkAction(pattern: string, { service }: PolicyRules): void {
  if (pattern === "*") {
    if (service === "sts") throw notAssumeRole();
    return;
  }
  const [vendor = "", name, ...rest] = pattern.split(":");
  if (name === undefined || vendor === "") {
    throw new PolicyError(
      "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
    );
  }
  if (rest.length > 0) throw new PolicyError("Actions/Condition can contain only one colon.");
  if (!/^[A-Za-z0-9-]+$/.test(vendor))
    throw new PolicyError(`Vendor ${shown(vendor)} is not valid`);
  if (!/^[A-Za-z0-9*?]+$/.test(name)) throw new PolicyError("The policy failed legacy parsing");
  if (service === undefined) return;
  if (service === "sts") {
    if (vendor.toLowerCase() !== "sts") throw notAssumeRole();
    return;
  }
  const matches = glob(pattern.toLowerCase());
  if (ecrActions.some((action) => matches(`ecr:${action.toLowerCase()}`))) return;
  throw new PolicyError(`${shown(pattern)} is no action of Amazon ECR`);
}

const notAssumeRole = () =>
  new PolicyError("AssumeRole policy may only specify STS AssumeRole actions.");

function checkResource(resource: PatternElement | undefined, rules: PolicyRules): void {
  if (resource === undefined) {
    if (rules.resource === "required") {
      throw new PolicyError("Policy statement must contain resources.");
    }
    return;
  }
  if (rules.resource === "prohibited") throw new PolicyError("Has prohibited field Resource");
  for (const pattern of resource.patterns) checkResourcePattern(pattern);
}

function checkResourcePattern(pattern: string): void {
  if (pattern === "*") return;
  const [start, partition = "", vendor = ""] = pattern.split(":");
  if (start === pattern) {
    throw new PolicyError(`Resource ${shown(pattern)} must be in ARN format or "*".`);
  }
  if (start !== "arn") throw new PolicyError("The policy failed legacy parsing");
  // Partitions may be patterns; variables and wildcards have no place in a service.
  if (!/^aws[a-z-]*$|[*?]/.test(partition)) {
    throw new PolicyError(
      `Partition "${shown(partition)}" is not valid for resource "${shown(pattern)}".`,
    );
  }
  if (/[?$]/.test(vendor) || (vendor.includes("*") && vendor !== "*")) {
    throw new PolicyError("Resource vendor must be fully qualified and cannot contain regexes.");
  }
}

function checkPrincipal(principal: PrincipalElement | undefined, rules: PolicyRules): void {
  if (rules.principal === "prohibited" && principal !== undefined) {
    throw new PolicyError("Policy document should not specify a principal.");
  }
  if (rules.principal === "required" && principal === undefined) {
    throw new PolicyError("Missing required field Principal");
  }
  for (const entry of principal?.aws ?? []) {
    if (awsPrincipalPattern.test(entry)) continue;
    throw new PolicyError(`Invalid principal in policy: "AWS":"${shown(entry)}"`);
  }
}

/** An account, an ARN of IAM or STS without wildcards, or a unique id such as `AIDA…`. */
const awsPrincipalPattern =
  /^(?:\d{12}|arn:aws[a-z-]*:(?:iam|sts)::\d{12}:(?:root|(?:user|role|assumed-role|federated-user)\/[^*?\s]+)|A[A-Z0-9]{15,127})$/;

const principalTypes = ["AWS", "Service", "Federated", "CanonicalUser"] as const;

function parsePrincipal(plain: unknown, negated: unknown): PrincipalElement | undefined {
  if (plain !== undefined && negated !== undefined) throw syntaxError();
  const value = plain === undefined ? negated : plain;
  if (value === undefined) return undefined;
  const none = { aws: [], service: [], federated: [], canonicalUser: [] };
  if (value === "*") return { negated: negated !== undefined, everyone: true, ...none };
  const members = membersOf(value, principalTypes);
  const aws = members.AWS === undefined ? [] : textsOf(members.AWS);
  const element = {
    negated: negated !== undefined,
    everyone: aws.includes("*"),
    aws: aws.filter((entry) => entry !== "*"),
    service: members.Service === undefined ? [] : textsOf(members.Service),
    federated: members.Federated === undefined ? [] : textsOf(members.Federated),
    canonicalUser: members.CanonicalUser === undefined ? [] : textsOf(members.CanonicalUser),
  };
  const { everyone, service, federated, canonicalUser } = element;
  const named = element.aws.length + service.length + federated.length + canonicalUser.length;
  if (named === 0 && !everyone) throw new PolicyError("Missing required field Principal");
  return element;
}

/** `{ operator: { key: value or values } }` */
function parseConditions(value: unknown): Condition[] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw syntaxError();
  return Object.entries(value).flatMap(([name, keys]: [string, unknown]) => {
    const operator = parseOperator(name);
    if (typeof keys !== "object" || keys === null || Array.isArray(keys)) throw syntaxError();
    return Object.entries(keys).map(([key, values]: [string, unknown]) => ({
      ...operator,
      key: checkedConditionKey(key),
      values: conditionValues(operator.operator, values),
    }));
  });
}

function parseOperator(name: string): Pick<Condition, "operator" | "quantifier" | "ifExists"> {
  const match = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/i.exec(name);
  const operator = findConditionOperator(match?.[2] ?? "");
  const ifExists = match?.[3] !== undefined;
  if (operator === undefined || (operator === "Null" && ifExists)) throw syntaxError();
  const set = match?.[1]?.toLowerCase();
  if (set === undefined) return { operator, ifExists };
  return { operator, ifExists, quantifier: set === "foranyvalue" ? "any" : "all" };
}

/** `service:name`; the name may go on with a slash and a tag's key. */
function checkedConditionKey(key: string): string {
  if (/^[^\s:]+:.+$/.test(key)) return key;
  throw new PolicyError(
    "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
  );
}

function conditionValues(operator: ConditionOperator, value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.map((member) => {
    if (typeof member !== "string" && typeof member !== "number" && typeof member !== "boolean") {
      throw syntaxError();
    }
    const text = String(member);
    if (!isValueOf(operator, text)) throw new PolicyError("The policy failed legacy parsing");
    return text;
  });
}

/** What a client wrote, not longer than useful. */
function shown(text: string): string {
  return text.slice(0, 256);
}
