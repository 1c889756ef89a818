/** The specification of the metadata store's boundary: every driver passes it. */
import { expect, test } from "bun:test";
import { selectSetting, upsertSetting } from "../../src/metadata/queries/settings.ts";
import type { TestDatabase } from "../support/metadata-stores.ts";

export function metadataStoreContract(createDatabase: () => Promise<TestDatabase>): void {
  test("what was committed can be read", async () => {
    await using database = await createDatabase();
    const store = await database.open();
    await store.transaction((tx) => upsertSetting(tx, "111122223333", "a", "{}", 1));
    expect(await selectSetting(store.read, "111122223333", "a")).toBe("{}");
  });
}
