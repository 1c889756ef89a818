/**
 * The condition keys of a request: the global ones that a registry can know, ECR's own, and those
 * that the operation gave. Their names are alike whatever their case, the tags' keys in them too.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
import type { Caller, Permission, Principal } from "./access.ts";
import type { KeyValues } from "./policy/template.ts";
import type { Collected } from "./policy-collection.ts";

export interface ConditionFacts {
  readonly caller: Caller;
  readonly permission: Permission;
  readonly collected: Pick<Collected, "resourceAccount" | "identityTags" | "resourceTags">;
  readonly region: string;
  /** The installation as an organization: `o-…`. All its accounts belong to it. */
  readonly organization?: string | undefined;
}

type Reader = (facts: ConditionFacts) => string | undefined;

const principalTypes = {
  root: "Account",
  user: "User",
  "assumed-role": "AssumedRole",
  federated: "FederatedUser",
} satisfies Record<Principal["kind"], string>;

const readers: Readonly<Record<string, Reader>> = {
  "aws:CurrentTime": ({ caller }) => new Date(caller.request.time).toISOString(),
  "aws:EpochTime": ({ caller }) => String(Math.floor(caller.request.time / 1000)),
  "aws:FederatedProvider": ({ caller }) => caller.principal.session?.federatedProvider,
  // Nobody signs in with a second factor here, and AWS leaves the key out for long-lived keys.
  "aws:MultiFactorAuthPresent": ({ caller }) =>
    caller.principal.session === undefined ? undefined : "false",
  "aws:PrincipalAccount": ({ caller }) => caller.principal.account,
  "aws:PrincipalArn": ({ caller }) => caller.principal.identityArn,
  "aws:PrincipalIsAWSService": () => "false",
  "aws:PrincipalOrgID": ({ organization }) => organization,
  "aws:PrincipalType": ({ caller }) => principalTypes[caller.principal.kind],
  "aws:Referer": ({ caller }) => caller.request.referer ?? undefined,
  "aws:RequestedRegion": ({ region }) => region,
  "aws:ResourceAccount": ({ collected }) => collected.resourceAccount,
  "aws:ResourceOrgID": ({ organization }) => organization,
  "aws:SecureTransport": ({ caller }) => String(caller.request.secure),
  "aws:SourceIdentity": ({ caller }) => caller.principal.session?.sourceIdentity,
  // What arrives through an endpoint has its address in `aws:VpcSourceIp`.
  "aws:SourceIp": ({ caller: { request } }) =>
    request.endpoint === undefined ? request.sourceAddress : undefined,
  "aws:SourceVpc": ({ caller }) => caller.request.endpoint?.network,
  "aws:SourceVpce": ({ caller }) => caller.request.endpoint?.id,
  "aws:TokenIssueTime": ({ caller: { principal } }) =>
    principal.session === undefined
      ? undefined
      : new Date(principal.session.issuedAt).toISOString(),
  "aws:UserAgent": ({ caller }) => caller.request.userAgent ?? undefined,
  "aws:UserId": ({ caller }) => caller.principal.userId,
  "aws:Username": ({ caller }) => caller.principal.userName,
  "aws:ViaAWSService": () => "false",
  "aws:VpcSourceIp": ({ caller: { request } }) =>
    request.endpoint === undefined ? undefined : request.sourceAddress,
};

/** For the reference: keys that every request may have. */
export const globalConditionKeys: readonly string[] = Object.keys(readers);

/** Families of keys, one key for each tag. */
const tagReaders: Readonly<
  Record<string, (facts: ConditionFacts, key: string) => string | undefined>
> = {
  "aws:PrincipalTag": ({ caller, collected }, key) =>
    ignoringCase(caller.principal.session?.tags ?? {}, key) ??
    ignoringCase(collected.identityTags, key),
  "aws:ResourceTag": ({ collected }, key) => ignoringCase(collected.resourceTags, key),
  "ecr:ResourceTag": ({ collected }, key) => ignoringCase(collected.resourceTags, key),
};

/** For the reference: followed by a slash and the key of a tag. */
export const tagConditionKeys: readonly string[] = Object.keys(tagReaders);

const readersByLowerCase = new Map(
  Object.entries(readers).map(([name, reader]) => [name.toLowerCase(), reader]),
);
const tagReadersByLowerCase = new Map(
  Object.entries(tagReaders).map(([name, reader]) => [name.toLowerCase(), reader]),
);

type KeyReader = (facts: ConditionFacts) => string | readonly string[] | undefined;

/** By keys that policies have asked for, in lower case. */
const keyReaders = new Map<string, KeyReader>();
const keyReadersLimit = 10_000;

function keyReader(key: string): KeyReader {
  const known = keyReaders.get(key);
  if (known !== undefined) return known;
  if (keyReaders.size >= keyReadersLimit) keyReaders.clear();
  const reader = makeKeyReader(key);
  keyReaders.set(key, reader);
  return reader;
}

function makeKeyReader(key: string): KeyReader {
  const global = readersByLowerCase.get(key);
  if (global !== undefined) return global;
  const given: KeyReader = ({ permission }) =>
    permission.conditions && ignoringCase(permission.conditions, key);
  const slash = key.indexOf("/");
  const tag = slash < 0 ? undefined : tagReadersByLowerCase.get(key.slice(0, slash));
  if (tag === undefined) return given;
  const tagKey = key.slice(slash + 1);
  // Tags of what is no repository are given by the operation.
  return (facts) => tag(facts, tagKey) ?? given(facts);
}

/** Values are looked up as policies ask for them: most requests are decided without any. */
export function conditionValues(facts: ConditionFacts): KeyValues {
  return (key) => keyReader(key)(facts);
}

/** @param key in lower case */
function ignoringCase<Value>(
  record: Readonly<Record<string, Value>>,
  key: string,
): Value | undefined {
  for (const name of Object.keys(record)) {
    if (name.toLowerCase() === key) return record[name];
  }
  return undefined;
}
