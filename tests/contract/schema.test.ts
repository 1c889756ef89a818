/** The committed schemas are what the migrations make. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { dumpPostgresSchema, dumpSqliteSchema } from "../../scripts/schema-dump.ts";
import { metadataEngines } from "../support/metadata-stores.ts";

const folder = join(import.meta.dir, "../../src/metadata");

for (const engine of metadataEngines) {
  const postgres = engine.name === "postgres";
  const file = postgres ? "schema.postgres.sql" : "schema.sqlite.sql";
  test.skipIf(!engine.available)(`${engine.name} has the schema of ${file}`, async () => {
    await using database = await engine.createDatabase();
    const store = await database.open();
    const dump = postgres ? dumpPostgresSchema : dumpSqliteSchema;
    // When this differs after a new migration: npx bun scripts/dump-schema.ts
    expect(await dump(store.read)).toBe(await Bun.file(join(folder, file)).text());
  });
}
