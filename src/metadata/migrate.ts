/** Brings a database to the newest schema, one transaction per migration. */
import type { MetadataStore } from "./metadata-store.ts";
import { type Migration, migrations, statementsOf } from "./migrations/index.ts";

export interface MigrateOptions {
  readonly now: number;
  /** Adapts a statement to the engine. */
  readonly adapt?: (statement: string) => string;
  /** Lets one node at a time through; several may start at once. Held until the commit. */
  readonly lock?: string;
}

/** @throws when the database was written by a newer version */
export async function migrate(store: MetadataStore, options: MigrateOptions): Promise<void> {
  const adapt = options.adapt ?? ((statement) => statement);
  await store.transaction(async (tx) => {
    if (options.lock !== undefined) await tx.all(options.lock);
    await tx.all(
      adapt(
        "create table if not exists migrations (name text primary key, applied_at bigint not null)",
      ),
    );
  });
  const known = new Set(migrations.map((migration) => migration.name));
  const applied = await store.read.all<{ name: string }>("select name from migrations");
  for (const { name } of applied) {
    if (!known.has(name)) {
      throw new Error(`the database has migration ${name}, which this version does not know`);
    }
  }
  for (const migration of migrations) await apply(store, migration, adapt, options);
}

async function apply(
  store: MetadataStore,
  migration: Migration,
  adapt: (statement: string) => string,
  options: MigrateOptions,
): Promise<void> {
  await store.transaction(async (tx) => {
    if (options.lock !== undefined) await tx.all(options.lock);
    const applied = await tx.all(
      "insert into migrations (name, applied_at) values ($1, $2) on conflict do nothing returning name",
      [migration.name, options.now],
    );
    if (applied.length === 0) return;
    for (const statement of statementsOf(migration)) await tx.all(adapt(statement));
  });
}
