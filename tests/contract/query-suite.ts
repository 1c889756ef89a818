/** What the contracts of the queries share: one database, and a note of which queries ran. */
import { afterAll, beforeAll } from "bun:test";
import type { MetadataStore, Transaction } from "../../src/metadata/metadata-store.ts";
import { insertManifest, type NewManifest } from "../../src/metadata/queries/manifests.ts";
import { insertRepository } from "../../src/metadata/queries/repositories.ts";
import type { TestDatabase } from "../support/metadata-stores.ts";

export const account = "111122223333";
export const otherAccount = "999988887777";
export const digest = (n: number | string) => `sha256:${String(n).padStart(64, "0")}`;

/** Every order that a language's collation would change. */
export const namesInByteOrder = [
  ...["-a", ".a", "0", "00", "1", "10", "2", "A", "AB", "Z", "_", "_a", "a", "a-b", "a.b", "a0"],
  ...["aB", "a_b", "aa", "ab", "b", "v1.0", "v1.0-rc1", "v1.10", "v1.9", "z", "z-", "z_"],
];

export interface QuerySuite {
  /** The same functions, noted by their names when they are called. */
  record<T extends object>(functions: T): T;
  readonly called: ReadonlySet<string>;
  readonly store: MetadataStore;
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** A new repository, so that tests do not meet. */
  repository(): Promise<{ id: number; name: string }>;
  manifest(repositoryId: number, name: string, more?: Partial<NewManifest>): Promise<NewManifest>;
}

export function querySuite(createDatabase: () => Promise<TestDatabase>): QuerySuite {
  const called = new Set<string>();
  let database: TestDatabase;
  let store: MetadataStore;
  let repositories = 0;

  beforeAll(async () => {
    database = await createDatabase();
    store = await database.open();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  return {
    called,
    get store() {
      return store;
    },
    record: (functions) =>
      new Proxy(functions, {
        get(target, name, receiver) {
          if (typeof name === "string") called.add(name);
          return Reflect.get(target, name, receiver);
        },
      }),
    transaction: (work) => store.transaction(work),
    async repository() {
      repositories += 1;
      const name = `team/app-${repositories}`;
      const row = await store.transaction((tx) => insertRepository(tx, account, name, 5));
      if (row === undefined) throw new Error("the repository exists already");
      return { id: row.id, name };
    },
    async manifest(repositoryId, name, more = {}) {
      const manifest: NewManifest = {
        repositoryId,
        digest: digest(name),
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        bytes: new TextEncoder().encode(`{"name":"${name}"}`),
        artifactType: undefined,
        subject: undefined,
        annotations: undefined,
        references: [],
        pushedAt: 7,
        origin: "us-east-1",
        ...more,
      };
      await store.transaction((tx) => insertManifest(tx, manifest));
      return manifest;
    },
  };
}
