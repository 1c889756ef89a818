/** Defines an operation of IAM, with what they have in common. */
import * as v from "valibot";
import type { ConditionKeys, Permission } from "../../access/access.ts";
import { identityArn } from "../../access/identities/identity-arn.ts";
import {
  findIdentity,
  type IdentityContext,
  type IdentityTarget,
} from "../../access/identities/identity-context.ts";
import type { IdentityType, Tags } from "../../access/identities/identity-documents.ts";
import type { KeyUsage } from "../../access/identities/key-usage.ts";
import {
  defineQueryOperation,
  integer,
  list,
  optional,
  type QueryCall,
  type QueryOperation,
  type QueryOperationDefinition,
  text,
} from "../query-operation.ts";

/** What the operations work with. */
export interface IamContext {
  readonly identities: IdentityContext;
  readonly usage: KeyUsage;
}

export type IamCall = QueryCall<IamContext>;

export function operation<Schema extends v.GenericSchema>(
  definition: QueryOperationDefinition<IamContext, Schema>,
): QueryOperation<IamContext> {
  return defineQueryOperation(definition);
}

export const namePattern = /^[\w+=,.@-]+$/;
export const userName = text(1, 64, namePattern);
export const groupName = text(1, 128, namePattern);
export const roleName = text(1, 64, namePattern);
export const policyName = text(1, 128, namePattern);
export const instanceProfileName = text(1, 128, namePattern);
export const arn = text(20, 2048);
export const policyDocument = text(1, 131_072, /^[\t\n\r -\u00FF]+$/);
export const description = text(0, 1000);
export const path = v.optional(text(1, 512, /^\/(?:[!-.0-~]+\/)*$/), "/");
export const tagsLimit = 50;
export const tagKey = text(1, 128, /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u);
export const tag = v.object({
  Key: tagKey,
  Value: text(0, 256, /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u),
});
export const tags = list(tag, tagsLimit);

/** Where one definition serves several operations: the member that names becomes `subject`. */
export function subjectInput<Entries extends v.ObjectEntries>(
  member: string,
  name: v.GenericSchema<string>,
  entries: Entries,
) {
  const named: v.GenericSchema<unknown, Readonly<Record<string, unknown>>> = v.looseObject({
    [member]: name,
  });
  return v.pipe(
    named,
    v.transform((input) => ({ ...input, subject: String(input[member]) })),
    v.object({ subject: v.string(), ...entries }),
  );
}

/** Members of every list. */
export const page = {
  Marker: optional(text(1, 1024)),
  MaxItems: optional(integer(1, 1000)),
};
export const pathPrefix = optional(text(1, 512, /^\/[!-~]*$/));

export function target(call: IamCall, name: string): IdentityTarget {
  return { account: call.principal.account, name, actor: call.principal.arn };
}

export function read(call: IamCall) {
  return call.service.identities.registry.metadata.read;
}

/** On what is there or not: the ARN has the path of what is there. */
export async function permissionOn(
  call: IamCall,
  action: string,
  type: IdentityType,
  name: string,
  conditions: ConditionKeys = {},
): Promise<Permission> {
  const { account } = call.principal;
  const found = await findIdentity(read(call), type, account, name);
  const resource = identityArn(account, type, found ?? { path: "/", name });
  const ownTags = found !== undefined && "tags" in found ? found.tags : {};
  const resourceTags = Object.entries(ownTags).flatMap(([key, value]) => [
    [`aws:ResourceTag/${key}`, value] as const,
    [`iam:ResourceTag/${key}`, value] as const,
  ]);
  return { action, resource, conditions: { ...Object.fromEntries(resourceTags), ...conditions } };
}

/** Condition keys of tags in the request. */
export function requestTags(given: readonly { Key: string; Value: string }[] = []): ConditionKeys {
  const values = given.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value] as const);
  return given.length === 0
    ? {}
    : { ...Object.fromEntries(values), "aws:TagKeys": given.map(({ Key }) => Key) };
}

export function tagRecord(given: readonly { Key: string; Value: string }[] = []): Tags {
  return Object.fromEntries(given.map(({ Key, Value }) => [Key, Value]));
}

export function tagList(record: Tags): { Key: string; Value: string }[] {
  return Object.entries(record).map(([Key, Value]) => ({ Key, Value }));
}

/** Documents travel in answers as RFC 3986 encodes them. */
export function encodedDocument(document: string): string {
  return encodeURIComponent(document).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

export interface Page<Item> {
  readonly items: Item[];
  readonly IsTruncated: boolean;
  readonly Marker?: string;
}

/** A page of what is ordered by its keys; the marker is the last key, encoded. */
export function paged<Item>(
  all: readonly Item[],
  keyOf: (item: Item) => string,
  { Marker, MaxItems = 100 }: { Marker?: string | undefined; MaxItems?: number | undefined },
): Page<Item> {
  const after = Marker === undefined ? "" : Buffer.from(Marker, "base64url").toString("utf8");
  const rest = all.filter((item) => keyOf(item) > after);
  const items = rest.slice(0, MaxItems);
  const last = items.at(-1);
  if (last === undefined || rest.length <= items.length) return { items, IsTruncated: false };
  const marker = Buffer.from(keyOf(last), "utf8").toString("base64url");
  return { items, IsTruncated: true, Marker: marker };
}
