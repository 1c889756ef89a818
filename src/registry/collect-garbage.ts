/**
 * Online garbage collection: removes what no image needs any more while pushes and pulls go on.
 *
 * 1. What an interrupted collection left withdrawn is settled.
 * 2. Upload sessions that nobody touched expire with their bytes.
 * 3. Links: blobs of a repository to which none of its manifests refers.
 * 4. Blobs to which no repository links: row and bytes.
 * 5. Bytes without a row (a push died between the two) get a row without a link; from then on rule 4
 *    decides. A stage without a session gets one in the same way, and expires by rule 2.
 *
 * Nothing that somebody touched within the grace period is removed. Untagged manifests and referrers
 * are not garbage. docs/guides/garbage-collection.md says what this guarantees.
 */
import type { BlobStat } from "../blobs/blob-store.ts";
import type { Digest } from "../image/digest.ts";
import {
  type BlobCandidateRow,
  deleteUnreferencedLinks,
  holdOldLinks,
  type LinkCandidateRow,
  type LinkPosition,
  registerOrphan,
  registerStage,
  selectBlobDigests,
  selectBlobPage,
  selectLinkedDigests,
  selectLinkPage,
  selectUploadIds,
} from "../metadata/queries/garbage.ts";
import { selectExpiredUploads } from "../metadata/queries/uploads.ts";
import type { RegistryContext } from "./context.ts";
import { expireUploads, uploadExpiryCutoff } from "./expire-uploads.ts";
import { settleWithdrawn, withdrawBlobs } from "./withdraw-blobs.ts";

/** Rows that one page looks at. */
const pageRows = 500;
/** On SQLite, pushes wait while one of these transactions runs. */
const batchRows = 50;
const batchMilliseconds = 10;

/** Of uploads that a dry run lists. */
const listLimit = 100_000;

export type GarbageItem =
  | { kind: "link"; account: string; repository: string; digest: string }
  | { kind: "blob"; digest: string; sizeBytes: number }
  /** Bytes without a row: registered now, removed by a later collection. */
  | { kind: "orphan"; digest: string; sizeBytes: number }
  | { kind: "upload"; uploadId: string }
  /** A stage without a session: given one now, which expires later. */
  | { kind: "stage"; uploadId: string }
  /** What an interrupted collection left. */
  | { kind: "withdrawn"; digest: string; sizeBytes: number };

export type GarbagePhase = "withdrawn" | "uploads" | "links" | "blobs" | "orphans";

export interface GarbageReport {
  readonly dryRun: boolean;
  /** False when the signal ended it early. */
  readonly complete: boolean;
  readonly startedAt: number;
  readonly milliseconds: number;
  /** Rows and blobs that were looked at. */
  readonly examined: number;
  readonly links: number;
  readonly blobs: number;
  readonly blobsBytes: number;
  readonly orphans: number;
  readonly orphansBytes: number;
  readonly uploads: number;
  readonly stages: number;
  readonly withdrawn: number;
  readonly temporaryFiles: number;
}

export interface GarbageOptions {
  /** Removes nothing and reports what a real run would. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal;
  /** Called after each page. */
  readonly onProgress?: (phase: GarbagePhase, report: GarbageReport) => void;
  /** Called for each thing that is removed or, in a dry run, would be. */
  readonly onItem?: (item: GarbageItem) => void;
}

const emptyReport: GarbageReport = {
  dryRun: false,
  complete: false,
  startedAt: 0,
  milliseconds: 0,
  examined: 0,
  links: 0,
  blobs: 0,
  blobsBytes: 0,
  orphans: 0,
  orphansBytes: 0,
  uploads: 0,
  stages: 0,
  withdrawn: 0,
  temporaryFiles: 0,
};

type Totals = { -readonly [K in keyof GarbageReport]: GarbageReport[K] };

interface Collection {
  readonly context: RegistryContext;
  readonly dryRun: boolean;
  readonly cutoff: number;
  readonly totals: Totals;
  readonly found: (item: GarbageItem) => void;
  /** Lets others work, as long as the work since the last rest took; true when we must stop. */
  readonly rest: (phase: GarbagePhase) => Promise<boolean>;
}

export async function collectGarbage(
  context: RegistryContext,
  options: GarbageOptions,
): Promise<GarbageReport> {
  const { clock, settings } = context;
  const startedAt = clock.now();
  const totals: Totals = { ...emptyReport, dryRun: options.dryRun, startedAt };
  let rested = startedAt;
  const collection: Collection = {
    context,
    dryRun: options.dryRun,
    cutoff: startedAt - settings.garbageGraceMilliseconds,
    totals,
    found: options.onItem ?? (() => {}),
    async rest(phase) {
      totals.milliseconds = clock.now() - startedAt;
      options.onProgress?.(phase, { ...totals });
      await clock.sleep(Math.max(1, Math.min(100, clock.now() - rested)), options.signal);
      rested = clock.now();
      return options.signal?.aborted ?? false;
    },
  };
  const phases = [
    settleLeftovers,
    endAbandonedUploads,
    collectLinks,
    collectBlobs,
    registerOrphans,
  ];
  for (const phase of phases) {
    if (options.signal?.aborted) break;
    await phase(collection);
  }
  if (!options.dryRun && !options.signal?.aborted) {
    totals.temporaryFiles = await context.blobs.sweep();
  }
  totals.complete = !options.signal?.aborted;
  totals.milliseconds = clock.now() - startedAt;
  return totals;
}

async function settleLeftovers({ context, dryRun, totals, found, rest }: Collection) {
  for await (const blob of context.blobs.withdrawn()) {
    found({ kind: "withdrawn", digest: blob.digest, sizeBytes: blob.size });
    totals.withdrawn++;
    if (!dryRun) await settleWithdrawn(context, blob);
    if (await rest("withdrawn")) return;
  }
}

async function endAbandonedUploads({ context, dryRun, totals, found, rest }: Collection) {
  const db = context.metadata.read;
  const ended = (uploadId: string) => {
    totals.uploads++;
    found({ kind: "upload", uploadId });
  };
  if (!dryRun) await expireUploads(context, ended);
  else (await selectExpiredUploads(db, uploadExpiryCutoff(context), listLimit)).forEach(ended);
  if (await rest("uploads")) return;
  for await (const ids of pages(context.blobs.stages())) {
    const known = await selectUploadIds(db, ids);
    for (const uploadId of ids) {
      if (known.has(uploadId)) continue;
      const now = context.clock.now();
      const registered =
        dryRun ||
        (await context.metadata.transaction((tx) => registerStage(tx, uploadId, now), {
          durable: false,
        }));
      if (!registered) continue;
      totals.stages++;
      found({ kind: "stage", uploadId });
    }
    if (await rest("uploads")) return;
  }
}

async function collectLinks(collection: Collection) {
  const { context, dryRun, cutoff, totals, rest } = collection;
  let after: LinkPosition = { repositoryId: 0, digest: "" };
  for (;;) {
    const page = await selectLinkPage(context.metadata.read, after, cutoff, pageRows);
    const last = page.at(-1);
    if (last === undefined) return;
    totals.examined += page.length;
    const garbage = page.filter((row) => row.garbage === 1);
    if (dryRun) {
      countLinks(collection, garbage);
      if (await rest("links")) return;
    } else {
      for (const batch of batches(garbage)) {
        countLinks(collection, await removeLinks(context, batch, cutoff));
        if (await rest("links")) return;
      }
      if (garbage.length === 0 && (await rest("links"))) return;
    }
    after = { repositoryId: last.repository_id, digest: last.digest };
  }
}

/** Not durable by itself: the commit that removes a blob's bytes covers what came before it. */
function removeLinks(
  { metadata }: RegistryContext,
  candidates: readonly LinkCandidateRow[],
  cutoff: number,
): Promise<LinkCandidateRow[]> {
  return metadata.transaction(
    async (tx) => {
      const removed: LinkCandidateRow[] = [];
      for (const [repositoryId, rows] of Map.groupBy(candidates, (row) => row.repository_id)) {
        const digests = rows.map(({ digest }) => digest);
        const held = await holdOldLinks(tx, repositoryId, digests, cutoff);
        const deleted = new Set(await deleteUnreferencedLinks(tx, repositoryId, held));
        removed.push(...rows.filter(({ digest }) => deleted.has(digest)));
      }
      return removed;
    },
    { durable: false },
  );
}

function countLinks({ totals, found }: Collection, rows: readonly LinkCandidateRow[]) {
  totals.links += rows.length;
  for (const { account, repository, digest } of rows) {
    found({ kind: "link", account: account ?? "", repository: repository ?? "", digest });
  }
}

async function collectBlobs(collection: Collection) {
  const { context, dryRun, cutoff, totals, rest } = collection;
  let after = "";
  for (;;) {
    const page = await selectBlobPage(context.metadata.read, after, cutoff, pageRows);
    const last = page.at(-1);
    if (last === undefined) return;
    totals.examined += page.length;
    const garbage = page.filter((row) => row.garbage === 1);
    if (dryRun) {
      countBlobs(collection, garbage);
      if (await rest("blobs")) return;
    } else {
      for (const batch of batches(garbage)) {
        let digests: readonly Digest[] = batch.map(({ digest }) => digest as Digest);
        while (digests.length > 0) {
          const limits = { cutoff, milliseconds: batchMilliseconds };
          const { collected, deferred } = await withdrawBlobs(context, digests, limits);
          countBlobs(collection, collected);
          digests = deferred;
          if (await rest("blobs")) return;
        }
      }
      if (garbage.length === 0 && (await rest("blobs"))) return;
    }
    after = last.digest;
  }
}

function countBlobs(
  { totals, found }: Collection,
  rows: readonly Pick<BlobCandidateRow, "digest" | "size">[],
) {
  for (const { digest, size } of rows) {
    totals.blobs++;
    totals.blobsBytes += size;
    found({ kind: "blob", digest, sizeBytes: size });
  }
}

async function registerOrphans({ context, dryRun, totals, found, rest }: Collection) {
  const { metadata, clock } = context;
  for await (const stats of pages(context.blobs.list())) {
    totals.examined += stats.length;
    const digests = stats.map(({ digest }) => digest);
    const known = await selectBlobDigests(metadata.read, digests);
    const linked = await selectLinkedDigests(metadata.read, digests);
    const orphans = stats.filter(({ digest }) => !known.has(digest) && !linked.has(digest));
    const registered: BlobStat[] = [];
    if (dryRun) registered.push(...orphans);
    for (const batch of dryRun ? [] : batches(orphans)) {
      registered.push(
        ...(await metadata.transaction(
          async (tx) => {
            const inserted: BlobStat[] = [];
            for (const stat of batch) {
              if (await registerOrphan(tx, stat.digest, stat.size, clock.now()))
                inserted.push(stat);
            }
            return inserted;
          },
          { durable: false },
        )),
      );
      if (await rest("orphans")) break;
    }
    for (const { digest, size } of registered) {
      totals.orphans++;
      totals.orphansBytes += size;
      found({ kind: "orphan", digest, sizeBytes: size });
    }
    if (await rest("orphans")) return;
  }
}

function* batches<T>(rows: readonly T[]): Iterable<readonly T[]> {
  for (let i = 0; i < rows.length; i += batchRows) yield rows.slice(i, i + batchRows);
}

async function* pages<T>(items: AsyncIterable<T>): AsyncIterable<readonly T[]> {
  let page: T[] = [];
  for await (const item of items) {
    page.push(item);
    if (page.length < pageRows) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
