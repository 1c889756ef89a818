/** Which accounts an installation has: those that have, or had, root credentials. */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectAccessKeysOfPrincipal } from "../metadata/queries/access-keys.ts";
import { rootPrincipal } from "./credentials.ts";

/**
 * The one place that knows. It asks the database every time, so that an account made beside a
 * running server is known at once.
 * @param account twelve digits
 */
export async function accountExists(db: Queryable, account: string): Promise<boolean> {
  return (await selectAccessKeysOfPrincipal(db, rootPrincipal(account).arn)).length > 0;
}
