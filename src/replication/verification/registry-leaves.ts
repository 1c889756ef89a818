/**
 * What a region has set and pushed in the repositories of an account, as ordered leaves and as a
 * summary of each repository. The same code runs at the source and at the destination.
 */
import type { Queryable } from "../../metadata/metadata-store.ts";
import { selectLastChangeSequence } from "../../metadata/queries/changes.ts";
import { selectRepository } from "../../metadata/queries/repositories.ts";
import {
  type ScanPosition,
  selectChangedRepositories,
  selectManifestLeaves,
  selectRepositoryIds,
  selectTagLeaves,
} from "../../metadata/queries/verification.ts";
import type { Clock } from "../../runtime/clock.ts";
import {
  emptySummary,
  type Leaf,
  type Summarizer,
  type Summary,
  summarizer,
} from "./digest-tree.ts";

export const leafKinds = ["tags", "manifests"] as const;
export type LeafKind = (typeof leafKinds)[number];

export interface RepositorySummary {
  readonly id: number;
  readonly tags: Summary;
  readonly manifests: Summary;
}

/** By name, in byte order; those without leaves are left out. */
export type RegistrySummary = ReadonlyMap<string, RepositorySummary>;

export interface LeafScope {
  readonly account: string;
  /** Only what was set or pushed in this region. */
  readonly origin: string;
}

export interface RegistryLeaves {
  summaries(scope: LeafScope): Promise<RegistrySummary>;
  /** Pages of the leaves of one repository, in byte order of their keys. */
  pages(repositoryId: number, kind: LeafKind, origin: string): AsyncIterable<readonly Leaf[]>;
}

const pageRows = 2000;
const repositoriesAtOnce = 1000;
/** Beyond this a new scan is cheaper. */
const changedRepositoriesLimit = 200;
/** What is not in the journal, such as a manifest put into quarantine, is seen after this time. */
const memoryMilliseconds = 300_000;
/** Accounts and sources whose summaries are kept. */
const rememberedLimit = 64;

interface Remembered {
  readonly scannedAt: number;
  sequence: number;
  summary: Map<string, RepositorySummary>;
}

/** Remembers summaries for some minutes; what the journal names since then is read again. */
export function registryLeaves(db: Queryable, clock: Clock): RegistryLeaves {
  const memory = new Map<string, Promise<Remembered>>();

  async function* rows<Row extends { repository_id: number }>(
    select: (position: ScanPosition) => Promise<Row[]>,
    keyOf: (row: Row) => string,
    first: number,
    last: number,
  ): AsyncGenerator<Row[]> {
    let position: ScanPosition = { repositoryId: first, key: "", lastRepositoryId: last };
    for (;;) {
      const page = await select(position);
      yield page;
      const end = page.at(-1);
      if (end === undefined || page.length < pageRows) return;
      position = { ...position, repositoryId: end.repository_id, key: keyOf(end) };
      // Others have their turn between two pages.
      await clock.sleep(0);
    }
  }

  function scan(kind: LeafKind, origin: string, first: number, last: number) {
    return kind === "tags"
      ? mapped(
          rows(
            (position) => selectTagLeaves(db, origin, position, pageRows),
            ({ name }) => name,
            first,
            last,
          ),
          ({ repository_id, name, digest, clock }) => ({
            repositoryId: repository_id,
            leaf: [name, digest, clock] as Leaf,
          }),
        )
      : mapped(
          rows(
            (position) => selectManifestLeaves(db, origin, position, pageRows),
            ({ digest }) => digest,
            first,
            last,
          ),
          ({ repository_id, digest }) => ({
            repositoryId: repository_id,
            leaf: [digest] as Leaf,
          }),
        );
  }

  async function summarize(
    names: ReadonlyMap<number, string>,
    origin: string,
    into: Map<string, RepositorySummary>,
  ): Promise<void> {
    const ids = [...names.keys()];
    const [first, last] = [Math.min(...ids), Math.max(...ids)];
    const summaries: Record<LeafKind, Map<number, Summarizer>> = {
      tags: new Map(),
      manifests: new Map(),
    };
    for (const kind of leafKinds) {
      for await (const page of scan(kind, origin, first, last)) {
        for (const { repositoryId, leaf } of page) {
          if (!names.has(repositoryId)) continue; // Another account's.
          let summary = summaries[kind].get(repositoryId);
          if (summary === undefined) {
            summary = summarizer();
            summaries[kind].set(repositoryId, summary);
          }
          summary.add(leaf);
        }
      }
    }
    for (const [id, name] of names) {
      const tags = summaries.tags.get(id)?.end() ?? emptySummary;
      const manifests = summaries.manifests.get(id)?.end() ?? emptySummary;
      if (tags.count + manifests.count > 0) into.set(name, { id, tags, manifests });
      else into.delete(name);
    }
  }

  async function scanAll({ account, origin }: LeafScope): Promise<Remembered> {
    // Read first: what changes during the scan is behind it, and is read again the next time.
    const sequence = await selectLastChangeSequence(db);
    const summary = new Map<string, RepositorySummary>();
    let after = 0;
    for (;;) {
      const page = await selectRepositoryIds(db, account, after, repositoriesAtOnce);
      const end = page.at(-1);
      if (end === undefined) break;
      await summarize(new Map(page.map(({ id, name }) => [id, name])), origin, summary);
      after = end.id;
    }
    return { scannedAt: clock.now(), sequence, summary: inOrder(summary) };
  }

  /** @returns false when so much has changed that all must be read again */
  async function catchUp(known: Remembered, { account, origin }: LeafScope): Promise<boolean> {
    const sequence = await selectLastChangeSequence(db);
    if (sequence === known.sequence) return true;
    const limit = changedRepositoriesLimit;
    const changed = await selectChangedRepositories(db, account, known.sequence, limit);
    if (changed.length === limit) return false;
    const summary = new Map(known.summary);
    for (const { repository } of changed) {
      const row = await selectRepository(db, account, repository);
      if (row === undefined) summary.delete(repository);
      else await summarize(new Map([[row.id, repository]]), origin, summary);
    }
    known.sequence = sequence;
    known.summary = inOrder(summary);
    return true;
  }

  async function current(before: Promise<Remembered> | undefined, scope: LeafScope) {
    const known = await before?.catch(() => undefined);
    const fresh =
      known !== undefined &&
      Math.abs(clock.now() - known.scannedAt) < memoryMilliseconds &&
      (await catchUp(known, scope));
    return fresh ? known : scanAll(scope);
  }

  return {
    async summaries(scope) {
      const key = `${scope.account}/${scope.origin}`;
      // Those who ask at the same time wait for the same scan.
      const next = current(memory.get(key), scope);
      memory.delete(key);
      memory.set(key, next);
      for (const oldest of memory.keys()) {
        if (memory.size <= rememberedLimit) break;
        memory.delete(oldest);
      }
      return (await next).summary;
    },
    async *pages(repositoryId, kind, origin) {
      for await (const page of scan(kind, origin, repositoryId, repositoryId)) {
        yield page.map(({ leaf }) => leaf);
      }
    },
  };
}

async function* mapped<From, To>(
  pages: AsyncIterable<From[]>,
  map: (row: From) => To,
): AsyncGenerator<To[]> {
  for await (const page of pages) yield page.map(map);
}

function inOrder<Value>(map: Map<string, Value>): Map<string, Value> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The repositories of an account as leaves. */
export async function* repositoryPages(summary: RegistrySummary): AsyncGenerator<readonly Leaf[]> {
  yield [...summary].map(
    ([name, { tags, manifests }]): Leaf => [
      name,
      tags.hash,
      manifests.hash,
      String(tags.count),
      String(manifests.count),
    ],
  );
}
