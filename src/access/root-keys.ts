/**
 * The keys of the accounts' roots, as documents of the installation: an account made in one region
 * is there in all of them, and so is its root.
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectDocumentsNamed } from "../metadata/queries/documents.ts";
import { documentKind, listDocuments, type StoredDocument } from "../registry/documents.ts";

export interface RootKey {
  /** Encrypted under the installation's key; base64. */
  readonly secret: string;
  /** Where the key came from. */
  readonly source: "configuration" | "generated";
  readonly status: "active" | "inactive";
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Name: the key's id. They are deactivated and never deleted: they are what makes an account. */
export const rootKeyKind = documentKind<RootKey>("root-access-key", "installation");

/** More than any account has, however often its root is rotated by hand. */
const keysPerAccountLimit = 1000;

export interface FoundRootKey {
  readonly account: string;
  readonly id: string;
  readonly value: RootKey;
}

/** The root key of that id, of whichever account it is. */
export async function findRootKey(db: Queryable, id: string): Promise<FoundRootKey | undefined> {
  const [row] = await selectDocumentsNamed(db, rootKeyKind.kind, id);
  if (row === undefined || row.value === null) return undefined;
  return { account: row.account, id, value: JSON.parse(row.value) as RootKey };
}

/** Those of an account, oldest first, the inactive ones too. */
export async function rootKeysOf(
  db: Queryable,
  account: string,
): Promise<StoredDocument<RootKey>[]> {
  const keys = await listDocuments(db, rootKeyKind, account, { limit: keysPerAccountLimit });
  return keys.sort((a, b) => a.value.createdAt - b.value.createdAt || (a.name < b.name ? -1 : 1));
}
