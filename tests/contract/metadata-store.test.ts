/** The metadata contract on every driver. */
import { describe } from "bun:test";
import { metadataEngines } from "../support/metadata-stores.ts";
import { metadataQueriesContract } from "./metadata-queries.ts";
import { metadataStoreContract } from "./metadata-store.ts";

for (const engine of metadataEngines) {
  describe.skipIf(!engine.available)(`metadata store: ${engine.name}`, () => {
    metadataStoreContract(() => engine.createDatabase());
    metadataQueriesContract(() => engine.createDatabase());
  });
}
