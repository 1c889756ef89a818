/**
 * Writes `src/metadata/schema.sqlite.sql` and, where a PostgreSQL can be had,
 * `src/metadata/schema.postgres.sql`. Run it after adding a migration and read the diff.
 */
import { join } from "node:path";
import { postgresMetadataStore } from "../src/metadata/postgres.ts";
import { sqliteMetadataStore } from "../src/metadata/sqlite.ts";
import { systemClock, systemRandom } from "../src/runtime/clock.ts";
import { postgresPrograms, startPostgresServer } from "../tests/support/postgres-server.ts";
import { dumpPostgresSchema, dumpSqliteSchema } from "./schema-dump.ts";

const folder = join(import.meta.dir, "../src/metadata");
const now = 0;

const sqlite = await sqliteMetadataStore({ path: ":memory:", now });
await Bun.write(join(folder, "schema.sqlite.sql"), await dumpSqliteSchema(sqlite.read));
await sqlite.close();

const programs = postgresPrograms();
if (programs === undefined) {
  console.error("schema.postgres.sql is as it was: PostgreSQL is not installed");
  process.exit(1);
}
await using server = await startPostgresServer(programs);
const postgres = await postgresMetadataStore({
  ...{ url: server.url, now, clock: systemClock, random: systemRandom },
});
await Bun.write(join(folder, "schema.postgres.sql"), await dumpPostgresSchema(postgres.read));
await postgres.close();
