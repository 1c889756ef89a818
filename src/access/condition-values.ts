/**
 * The condition keys of a request: the global ones that a registry can know, ECR's own, and those
 * that the operation gave. Their names are alike whatever their case, the tags' keys in them too.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
import type { AccessRequest, Principal } from "./access.ts";
import type { KeyValues } from "./policy/template.ts";

export interface ConditionFacts {
  readonly request: AccessRequest;
  readonly region: string;
  /** The installation as an organization: `o-…`. All its accounts belong to it. */
  readonly organization?: string | undefined;
  /** Whose resource it is. */
  readonly resourceAccount: string;
  readonly identityTags: Readonly<Record<string, string>>;
  readonly resourceTags: Readonly<Record<string, string>>;
}

type Reader = (facts: ConditionFacts) => string | undefined;

const principalTypes = {
  root: "Account",
  user: "User",
  "assumed-role": "AssumedRole",
  federated: "FederatedUser",
} satisfies Record<Principal["kind"], string>;

const readers: Readonly<Record<string, Reader>> = {
  "aws:CurrentTime": ({ request }) => new Date(request.request.time).toISOString(),
  "aws:EpochTime": ({ request }) => String(Math.floor(request.request.time / 1000)),
  "aws:FederatedProvider": ({ request }) => request.principal.session?.federatedProvider,
  // Nobody signs in with a second factor here, and AWS leaves the key out for long-lived keys.
  "aws:MultiFactorAuthPresent": ({ request }) =>
    request.principal.session === undefined ? undefined : "false",
  "aws:PrincipalAccount": ({ request }) => request.principal.account,
  "aws:PrincipalArn": ({ request }) => request.principal.identityArn,
  "aws:PrincipalIsAWSService": () => "false",
  "aws:PrincipalOrgID": ({ organization }) => organization,
  "aws:PrincipalType": ({ request }) => principalTypes[request.principal.kind],
  "aws:Referer": ({ request }) => request.request.referer ?? undefined,
  "aws:RequestedRegion": ({ region }) => region,
  "aws:ResourceAccount": ({ resourceAccount }) => resourceAccount,
  "aws:ResourceOrgID": ({ organization }) => organization,
  "aws:SecureTransport": ({ request }) => String(request.request.secure),
  "aws:SourceIdentity": ({ request }) => request.principal.session?.sourceIdentity,
  // What arrives through an endpoint has its address in `aws:VpcSourceIp`.
  "aws:SourceIp": ({ request: { request } }) =>
    request.endpoint === undefined ? request.sourceAddress : undefined,
  "aws:SourceVpc": ({ request }) => request.request.endpoint?.network,
  "aws:SourceVpce": ({ request }) => request.request.endpoint?.id,
  "aws:TokenIssueTime": ({ request: { principal } }) =>
    principal.session === undefined
      ? undefined
      : new Date(principal.session.issuedAt).toISOString(),
  "aws:UserAgent": ({ request }) => request.request.userAgent ?? undefined,
  "aws:UserId": ({ request }) => request.principal.userId,
  "aws:Username": ({ request }) => request.principal.userName,
  "aws:ViaAWSService": () => "false",
  "aws:VpcSourceIp": ({ request: { request } }) =>
    request.endpoint === undefined ? undefined : request.sourceAddress,
};

/** For the reference: keys that every request may have. */
export const globalConditionKeys: readonly string[] = Object.keys(readers);

/** Families of keys, one key for each tag. */
const tagReaders: Readonly<
  Record<string, (facts: ConditionFacts, key: string) => string | undefined>
> = {
  "aws:PrincipalTag": ({ request, identityTags }, key) =>
    ignoringCase(request.principal.session?.tags ?? {}, key) ?? ignoringCase(identityTags, key),
  "aws:ResourceTag": ({ resourceTags }, key) => ignoringCase(resourceTags, key),
  "ecr:ResourceTag": ({ resourceTags }, key) => ignoringCase(resourceTags, key),
};

/** For the reference: followed by a slash and the key of a tag. */
export const tagConditionKeys: readonly string[] = Object.keys(tagReaders);

const readersByLowerCase = new Map(
  Object.entries(readers).map(([name, reader]) => [name.toLowerCase(), reader]),
);
const tagReadersByLowerCase = new Map(
  Object.entries(tagReaders).map(([name, reader]) => [name.toLowerCase(), reader]),
);

/** Values are looked up as policies ask for them: most requests are decided without any. */
export function conditionValues(facts: ConditionFacts): KeyValues {
  return (key) => {
    const reader = readersByLowerCase.get(key);
    if (reader !== undefined) return reader(facts);
    const slash = key.indexOf("/");
    if (slash > 0) {
      const value = tagReadersByLowerCase.get(key.slice(0, slash))?.(facts, key.slice(slash + 1));
      // Tags of what is no repository are given by the operation.
      if (value !== undefined) return value;
    }
    const { conditions } = facts.request;
    return conditions === undefined ? undefined : ignoringCase(conditions, key);
  };
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
