/**
 * Every driver of the metadata store, so that a suite can run on each engine:
 *
 *     for (const [name, openStore, available] of metadataStores) {
 *       describe.skipIf(!available)(name, () => {
 *         test("…", async () => {
 *           const store = await openStore();
 */
import { join } from "node:path";
import type { MetadataStore } from "../../src/metadata/metadata-store.ts";
import { postgresMetadataStore } from "../../src/metadata/postgres.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import { systemClock, systemRandom } from "../../src/runtime/clock.ts";
import { requirement } from "./require.ts";
import { temporaryDirectory } from "./temporary-directory.ts";

/** An empty database of a test's own. */
export interface TestDatabase extends AsyncDisposable {
  /** Another node, or the same one after a restart. False for a database inside the process. */
  readonly reopens: boolean;
  /** Connects to it; what is still open when the database is disposed of is closed then. */
  open(): Promise<MetadataStore>;
  /** For a second process: the file or the URL. */
  readonly location: string;
}

export interface MetadataEngine {
  readonly name: "sqlite" | "sqlite in memory" | "postgres";
  readonly available: boolean;
  createDatabase(): Promise<TestDatabase>;
}

const now = 1_700_000_000_000;

/** The server of `PORTOLAN_TEST_POSTGRES_URL`: a superuser's URL. Undefined when there is none. */
export const postgresServerUrl = process.env.PORTOLAN_TEST_POSTGRES_URL;

export const postgresAvailable = requirement(
  "postgres",
  postgresServerUrl !== undefined,
  "PostgreSQL (set PORTOLAN_TEST_POSTGRES_URL or run npm run test:postgres)",
);

export const metadataEngines: readonly MetadataEngine[] = [
  { name: "sqlite", available: true, createDatabase: createSqliteDatabase },
  { name: "sqlite in memory", available: true, createDatabase: createMemoryDatabase },
  { name: "postgres", available: postgresAvailable, createDatabase: createPostgresDatabase },
];

/** Name, a function that opens an empty store whose `close` removes its database, available. */
export const metadataStores: readonly (readonly [
  name: string,
  openStore: () => Promise<MetadataStore>,
  available: boolean,
])[] = metadataEngines.map((engine) => [
  engine.name,
  async () => {
    const database = await engine.createDatabase();
    const store = await database.open();
    return {
      ...store,
      async close() {
        await database[Symbol.asyncDispose]();
      },
    };
  },
  engine.available,
]);

async function createSqliteDatabase(): Promise<TestDatabase> {
  const directory = temporaryDirectory();
  const path = join(directory.path, "metadata.db");
  return testDatabase({
    location: path,
    reopens: true,
    open: () => sqliteMetadataStore({ path, now }),
    remove: async () => directory.remove(),
  });
}

async function createMemoryDatabase(): Promise<TestDatabase> {
  return testDatabase({
    location: ":memory:",
    reopens: false,
    open: () => sqliteMetadataStore({ path: ":memory:", now }),
    remove: async () => {},
  });
}

/** A database of its own on the server, so that test files do not meet. */
export async function createPostgresDatabase(): Promise<TestDatabase> {
  if (postgresServerUrl === undefined) throw new Error("PORTOLAN_TEST_POSTGRES_URL is not set");
  const name = `portolan_test_${crypto.randomUUID().replaceAll("-", "")}`;
  await administrate(`create database ${name}`);
  const url = withDatabase(postgresServerUrl, name);
  return testDatabase({
    location: url,
    reopens: true,
    open: () => postgresMetadataStore({ url, now, clock: systemClock, random: systemRandom }),
    async remove() {
      await administrate(`drop database if exists ${name} with (force)`);
    },
  });
}

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  return url.replace(/^(\w+:\/\/[^/?]*)(\/[^?]*)?/, `$1/${name}`);
}

/** Runs a statement on the server's first database. */
export async function administrate(statement: string): Promise<Record<string, unknown>[]> {
  if (postgresServerUrl === undefined) throw new Error("PORTOLAN_TEST_POSTGRES_URL is not set");
  const connection = new Bun.SQL(postgresServerUrl, { max: 1 });
  try {
    return await connection.unsafe(statement);
  } finally {
    await connection.close();
  }
}

function testDatabase(options: {
  location: string;
  reopens: boolean;
  open: () => Promise<MetadataStore>;
  remove: () => Promise<void>;
}): TestDatabase {
  const opened = new Set<MetadataStore>();
  return {
    location: options.location,
    reopens: options.reopens,
    async open() {
      const store = await options.open();
      opened.add(store);
      return {
        ...store,
        async close() {
          if (opened.delete(store)) await store.close();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      for (const store of opened) await store.close();
      opened.clear();
      await options.remove();
    },
  };
}
