/** A name for this database: whoever remembers a number of its journal remembers whose it was. */
import { selectSetting, upsertSetting } from "../metadata/queries/settings.ts";
import type { RegistryContext } from "./context.ts";

/** Of no account: it is the region's. */
const everyAccount = "";
const setting = "database-id";

/** @returns a UUID, the same for ever */
export async function databaseId({ metadata, clock, random }: RegistryContext): Promise<string> {
  const known = await selectSetting(metadata.read, everyAccount, setting);
  if (known !== undefined) return known;
  return metadata.transaction(async (tx) => {
    // Holds the row, or makes it: of two nodes that start together the first decides.
    await upsertSetting(tx, everyAccount, `${setting}-checked`, "true", clock.now());
    const present = await selectSetting(tx, everyAccount, setting);
    if (present !== undefined) return present;
    const id = random.uuid();
    await upsertSetting(tx, everyAccount, setting, id, clock.now());
    return id;
  });
}
