/** Operations on the tags of what has tags; only the names differ. */
import type * as v from "valibot";
import { changeTags, type TaggedType } from "../../access/identities/change-tags.ts";
import { parseIdentityArn } from "../../access/identities/identity-arn.ts";
import { requireIdentity } from "../../access/identities/identity-context.ts";
import { findCustomerPolicy } from "../../access/identities/policy-document.ts";
import { list } from "../query-operation.ts";
import {
  arn,
  type IamCall,
  instanceProfileName,
  operation,
  page,
  paged,
  permissionOn,
  read,
  requestTags,
  roleName,
  subjectInput,
  tagKey,
  tagList,
  tagRecord,
  tags,
  tagsLimit,
  target,
  userName,
} from "./operation.ts";

const names = {
  user: { member: "UserName", schema: userName },
  role: { member: "RoleName", schema: roleName },
  policy: { member: "PolicyArn", schema: arn },
  "instance-profile": { member: "InstanceProfileName", schema: instanceProfileName },
} as const;

function taggedInput<Entries extends v.ObjectEntries>(type: TaggedType, entries: Entries) {
  return subjectInput(names[type].member, names[type].schema, entries);
}

/** A policy is named by its ARN; one that is not the account's has a name that nothing has. */
function nameOf(call: IamCall, type: TaggedType, subject: string): string {
  if (type !== "policy") return subject;
  const parsed = parseIdentityArn(subject);
  const isOwn = parsed?.type === "policy" && parsed.account === call.principal.account;
  return isOwn ? parsed.name : subject;
}

export function tagOperation(type: TaggedType, action: string) {
  return operation({
    input: taggedInput(type, { Tags: tags }),
    permission: (call, { subject, Tags }) =>
      permissionOn(call, action, type, nameOf(call, type, subject), requestTags(Tags)),
    async handle(call, { subject, Tags }) {
      const subjectTarget = target(call, nameOf(call, type, subject));
      const change = { set: tagRecord(Tags), remove: [] };
      await changeTags(call.service.identities, type, subjectTarget, change);
      return undefined;
    },
  });
}

export function untagOperation(type: TaggedType, action: string) {
  return operation({
    input: taggedInput(type, { TagKeys: list(tagKey, tagsLimit) }),
    permission: (call, { subject, TagKeys }) =>
      permissionOn(call, action, type, nameOf(call, type, subject), {
        "aws:TagKeys": TagKeys ?? [],
      }),
    async handle(call, { subject, TagKeys }) {
      const subjectTarget = target(call, nameOf(call, type, subject));
      const change = { set: {}, remove: TagKeys ?? [] };
      await changeTags(call.service.identities, type, subjectTarget, change);
      return undefined;
    },
  });
}

export function listTagsOperation(type: TaggedType, action: string) {
  return operation({
    input: taggedInput(type, page),
    permission: (call, { subject }) =>
      permissionOn(call, action, type, nameOf(call, type, subject)),
    async handle(call, input) {
      const { account } = call.principal;
      const name = nameOf(call, type, input.subject);
      const found =
        type === "policy"
          ? await findCustomerPolicy(read(call), account, input.subject)
          : undefined;
      const { tags: present } = found ?? (await requireIdentity(read(call), type, account, name));
      const all = tagList(present).sort((a, b) => (a.Key < b.Key ? -1 : 1));
      const { items, ...rest } = paged(all, ({ Key }) => Key, input);
      return { Tags: items, ...rest };
    },
  });
}
