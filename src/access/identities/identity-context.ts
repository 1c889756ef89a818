/** What every verb on identities works with, and the reading and writing that they share. */
import type { Queryable, Transaction } from "../../metadata/metadata-store.ts";
import type { RegistryContext } from "../../registry/context.ts";
import { changeDocument, findDocument, listDocuments } from "../../registry/documents.ts";
import type { SecretCipher } from "../installation-key.ts";
import {
  documentName,
  type Identities,
  type IdentityType,
  identityKinds,
} from "./identity-documents.ts";
import { IdentityError } from "./identity-error.ts";

export interface IdentityContext {
  readonly registry: RegistryContext;
  readonly cipher: SecretCipher;
}

/** Which one, and who acts on it. */
export interface IdentityTarget {
  /** Twelve digits. */
  readonly account: string;
  readonly name: string;
  /** ARN of the principal that makes the change. */
  readonly actor: string;
}

const words: { readonly [T in IdentityType]: string } = {
  user: "user",
  group: "group",
  role: "role",
  policy: "policy",
  "instance-profile": "Instance Profile",
};

export function noSuchIdentity(type: IdentityType, name: string): IdentityError {
  if (type === "policy") return new IdentityError("NoSuchEntity", `Policy ${name} was not found.`);
  const subject =
    type === "instance-profile"
      ? `Instance Profile ${name}`
      : `The ${words[type]} with name ${name}`;
  return new IdentityError("NoSuchEntity", `${subject} cannot be found.`);
}

export function identityExists(type: IdentityType, name: string): IdentityError {
  const message =
    type === "policy"
      ? `A policy called ${name} already exists. Duplicate names are not allowed.`
      : type === "instance-profile"
        ? `Instance Profile ${name} already exists.`
        : `${type === "user" ? "User" : type === "group" ? "Group" : "Role"} with name ${name} already exists.`;
  return new IdentityError("EntityAlreadyExists", message);
}

export async function findIdentity<T extends IdentityType>(
  db: Queryable,
  type: T,
  account: string,
  name: string,
): Promise<Identities[T] | undefined> {
  const found = await findDocument(db, identityKinds[type], account, documentName(name));
  return found?.value;
}

/** @throws IdentityError NoSuchEntity */
export async function requireIdentity<T extends IdentityType>(
  db: Queryable,
  type: T,
  account: string,
  name: string,
): Promise<Identities[T]> {
  const found = await findIdentity(db, type, account, name);
  if (found === undefined) throw noSuchIdentity(type, name);
  return found;
}

/** A page of SQL; the lists themselves are paged by those who answer them. */
const listPage = 1000;

/** All of an account, in the order of their names. AWS's quotas keep them to some thousands. */
export async function listIdentities<T extends IdentityType>(
  db: Queryable,
  type: T,
  account: string,
): Promise<Identities[T][]> {
  const all: Identities[T][] = [];
  let after = "";
  for (;;) {
    const page = await listDocuments(db, identityKinds[type], account, { after, limit: listPage });
    all.push(...page.map(({ value }) => value));
    const last = page.at(-1);
    if (last === undefined || page.length < listPage) return all;
    after = last.name;
  }
}

/** @throws IdentityError EntityAlreadyExists */
export async function addIdentity<T extends IdentityType>(
  { registry }: IdentityContext,
  tx: Transaction,
  type: T,
  target: IdentityTarget,
  value: Identities[T],
): Promise<Identities[T]> {
  await changeDocument(registry, tx, identityKinds[type], named(target), (present) => {
    if (present !== undefined) throw identityExists(type, target.name);
    return value;
  });
  return value;
}

/**
 * Holds it until the transaction ends and replaces it, unless `change` returns the same.
 * @throws IdentityError NoSuchEntity, and what `change` throws
 */
export async function changeIdentity<T extends IdentityType>(
  { registry }: IdentityContext,
  tx: Transaction,
  type: T,
  target: IdentityTarget,
  change: (present: Identities[T]) => Identities[T],
): Promise<Identities[T]> {
  let changed: Identities[T] | undefined;
  await changeDocument(registry, tx, identityKinds[type], named(target), (present) => {
    if (present === undefined) throw noSuchIdentity(type, target.name);
    changed = change(present);
    return changed;
  });
  if (changed === undefined) throw noSuchIdentity(type, target.name);
  return changed;
}

export async function removeIdentity(
  { registry }: IdentityContext,
  tx: Transaction,
  type: IdentityType,
  target: IdentityTarget,
): Promise<void> {
  const kind = { kind: identityKinds[type].kind, scope: identityKinds[type].scope };
  await changeDocument(registry, tx, kind, named(target), () => undefined);
}

function named({ account, name, actor }: IdentityTarget) {
  return { account, name: documentName(name), actor };
}
