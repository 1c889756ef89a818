/**
 * The shapes of identities that arrive from another region. They were checked where they were
 * written; here it matters that nothing malformed gets into a decision. Members that this version
 * does not know are kept: a newer region may have written them.
 */
import * as v from "valibot";
import type { CustomerPolicy, Group, InstanceProfile, Role, User } from "./identity-documents.ts";

const text = v.pipe(v.string(), v.maxLength(262_144));
const word = v.pipe(v.string(), v.maxLength(2048));
const time = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const texts = v.record(word, text);
const words = v.pipe(v.array(word), v.maxLength(10_000));

const entity = { name: word, path: word, id: word, createdAt: time };
const holder = { inlinePolicies: texts, attachedPolicies: words };
const bounded = { boundary: v.exactOptional(word), tags: v.record(word, word) };
const version = v.looseObject({ id: word, document: text, createdAt: time });

export const userShape: v.GenericSchema<unknown, User> = v.looseObject({
  ...entity,
  ...holder,
  ...bounded,
  groups: words,
});
export const groupShape: v.GenericSchema<unknown, Group> = v.looseObject({
  ...entity,
  ...holder,
});
export const roleShape: v.GenericSchema<unknown, Role> = v.looseObject({
  ...entity,
  ...holder,
  ...bounded,
  description: v.exactOptional(word),
  maxSessionSeconds: time,
  trustPolicy: text,
});
export const policyShape: v.GenericSchema<unknown, CustomerPolicy> = v.looseObject({
  ...entity,
  description: v.exactOptional(word),
  updatedAt: time,
  tags: bounded.tags,
  defaultVersion: word,
  versions: v.pipe(v.array(version), v.maxLength(100)),
  lastVersionNumber: time,
});
export const instanceProfileShape: v.GenericSchema<unknown, InstanceProfile> = v.looseObject({
  ...entity,
  tags: bounded.tags,
  roles: words,
});
