/** Which accounts an installation has: those that have, or had, root credentials. */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectAccountsWithDocument } from "../metadata/queries/documents.ts";
import { listDocuments } from "../registry/documents.ts";
import { rootKeyKind } from "./root-keys.ts";

/**
 * The one place that knows. It asks the database every time, so that an account made beside a
 * running server, or in another region, is known at once.
 * @param account twelve digits
 */
export async function accountExists(db: Queryable, account: string): Promise<boolean> {
  return (await listDocuments(db, rootKeyKind, account, { limit: 1 })).length > 0;
}

/** All of them, in order. */
export async function everyAccount(db: Queryable): Promise<string[]> {
  return (await selectAccountsWithDocument(db, rootKeyKind.kind)).map(({ account }) => account);
}
