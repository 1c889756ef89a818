/**
 * Verifies everything at rest: re-hashes each blob and each manifest, and looks whether each image
 * has what it needs. Runs beside traffic, in bounded memory, at a bounded rate.
 *
 * What is damaged is put into quarantine, so that it answers "unknown" instead of wrong bytes and
 * the next push of it, which clients skip for what the registry claims to have, brings it again.
 */
import { type Digest, digestAlgorithm, digestOf, parseDigest } from "../image/digest.ts";
import {
  type CheckedReferenceRow,
  type ManifestPosition,
  quarantineManifest,
  type ReferencePosition,
  selectBlobsAfter,
  selectImageName,
  selectLinkedDigestsAfter,
  selectLinkedRepositories,
  selectManifestBytes,
  selectManifestBytesForUpdate,
  selectManifestsAfter,
  selectReferencesAfter,
} from "../metadata/queries/scrub.ts";
import type { Clock } from "../runtime/clock.ts";
import type { RegistryContext } from "./context.ts";
import { examineBlob, type Pace, scrubBlob } from "./scrub-blob.ts";
import { registerIntact } from "./withdraw-blobs.ts";

const pageRows = 500;
/** Repositories of a blob, tags of an image and missing parts of it that a finding names. */
const namesLimit = 100;

export type ScrubFinding =
  | {
      kind: "blob";
      digest: string;
      reason: "damaged" | "unreadable" | "missing";
      /** What its bytes have instead, when they could be read. */
      actual?: string;
      /** `account/name` of those that hold it. */
      repositories: readonly string[];
    }
  | {
      kind: "manifest";
      digest: string;
      actual: string;
      repository: string;
      tags: readonly string[];
    }
  /** An image that cannot be pulled whole. */
  | {
      kind: "image";
      digest: string;
      repository: string;
      tags: readonly string[];
      missing: readonly string[];
    };

export type ScrubPhase = "blobs" | "links" | "manifests" | "references";

export interface ScrubReport {
  /** False when the signal ended it early. */
  readonly complete: boolean;
  readonly startedAt: number;
  readonly milliseconds: number;
  readonly blobs: number;
  readonly blobsBytes: number;
  readonly manifests: number;
  readonly references: number;
  /** Put into quarantine by this run. */
  readonly damagedBlobs: number;
  /** Linked by a repository, and not here. */
  readonly missingBlobs: number;
  readonly damagedManifests: number;
  readonly incompleteImages: number;
  /** Their children were deleted by somebody, which is allowed: no damage. */
  readonly indexesWithoutChildren: number;
  /** Wrong at the first reading and right at the second: look at the machine. */
  readonly unstableBlobs: number;
  /** Known as missing before, and here again. */
  readonly recoveredBlobs: number;
  readonly repairedSizes: number;
}

export interface ScrubOptions {
  /** Of blobs read; absent: as fast as it goes. */
  readonly bytesPerSecond?: number;
  readonly signal?: AbortSignal;
  /** Goes on behind this blob, which an earlier run reported in its progress. */
  readonly after?: Digest;
  /** @param position what was examined last; of blobs, a value for `after` */
  readonly onProgress?: (phase: ScrubPhase, report: ScrubReport, position: string) => void;
  readonly onFinding?: (finding: ScrubFinding) => void;
}

type Totals = { -readonly [K in keyof ScrubReport]: ScrubReport[K] };

interface Scrub {
  readonly context: RegistryContext;
  readonly options: ScrubOptions;
  readonly totals: Totals;
  /** Blobs of which this run has told. */
  readonly reported: Set<string>;
  readonly pace: Pace;
  readonly found: (finding: ScrubFinding) => void;
  readonly progress: (phase: ScrubPhase, position: string) => Promise<void>;
}

class ScrubStopped extends Error {}

export function hasDamage(report: ScrubReport): boolean {
  const { damagedBlobs, missingBlobs, damagedManifests, incompleteImages } = report;
  return damagedBlobs + missingBlobs + damagedManifests + incompleteImages > 0;
}

export async function scrub(
  context: RegistryContext,
  options: ScrubOptions = {},
): Promise<ScrubReport> {
  const { clock } = context;
  const { signal, bytesPerSecond } = options;
  const startedAt = clock.now();
  const totals: Totals = { ...emptyReport, startedAt };
  const throttled = bytesPerSecond === undefined ? undefined : throttle(clock, bytesPerSecond);
  const stopWhenAborted = () => {
    if (signal?.aborted) throw new ScrubStopped();
  };
  const run: Scrub = {
    context,
    options,
    totals,
    reported: new Set(),
    async pace(bytes) {
      stopWhenAborted();
      totals.blobsBytes += bytes;
      await throttled?.(bytes, signal);
    },
    found: options.onFinding ?? (() => {}),
    async progress(phase, position) {
      totals.milliseconds = clock.now() - startedAt;
      options.onProgress?.(phase, { ...totals }, position);
      stopWhenAborted();
      // Queries of the embedded database run on the event loop: let others in between.
      if (phase !== "blobs") await clock.sleep(1, signal);
    },
  };
  try {
    for (const phase of [scrubBlobs, scrubLinks, scrubManifests, scrubReferences]) await phase(run);
    totals.complete = true;
  } catch (error) {
    if (!(error instanceof ScrubStopped)) throw error;
  }
  totals.milliseconds = clock.now() - startedAt;
  return totals;
}

const emptyReport: ScrubReport = {
  complete: false,
  startedAt: 0,
  milliseconds: 0,
  blobs: 0,
  blobsBytes: 0,
  manifests: 0,
  references: 0,
  damagedBlobs: 0,
  missingBlobs: 0,
  damagedManifests: 0,
  incompleteImages: 0,
  indexesWithoutChildren: 0,
  unstableBlobs: 0,
  recoveredBlobs: 0,
  repairedSizes: 0,
};

async function scrubBlobs(run: Scrub) {
  const { context, options, totals, reported, pace, found, progress } = run;
  let after: string = options.after ?? "";
  for (;;) {
    const page = await selectBlobsAfter(context.metadata.read, after, pageRows);
    if (page.length === 0) return;
    for (const { digest, size } of page) {
      const result = await scrubBlob(context, { digest: digest as Digest, size }, pace);
      totals.blobs++;
      if (result.outcome === "unstable") totals.unstableBlobs++;
      else if (result.outcome === "intact" && result.sizeRepaired) totals.repairedSizes++;
      else if (result.outcome === "quarantined") {
        totals.damagedBlobs++;
        reported.add(digest);
        const { reason, actual } = result;
        const repositories = await repositoriesOf(context, digest);
        found({ kind: "blob", digest, reason, ...(actual && { actual }), repositories });
      }
      // The next phase reports those that are missing.
      await progress("blobs", digest);
      after = digest;
    }
  }
}

/** Blobs that a repository links to and that have no row: missing, unless their bytes came back. */
async function scrubLinks({ context, totals, reported, pace, found, progress }: Scrub) {
  let after = "";
  for (;;) {
    const page = await selectLinkedDigestsAfter(context.metadata.read, after, pageRows);
    for (const { digest, registered } of page) {
      after = digest;
      if (registered === 1 || reported.has(digest)) continue;
      const examined = await examineBlob(context, digest as Digest, pace);
      if (examined.outcome === "intact") {
        const { size, revision } = examined;
        if (await registerIntact(context, { digest: digest as Digest, size, revision })) {
          totals.recoveredBlobs++;
          continue;
        }
      }
      totals.missingBlobs++;
      const repositories = await repositoriesOf(context, digest);
      found({ kind: "blob", digest, reason: "missing", repositories });
    }
    if (page.length === 0) return;
    await progress("links", after);
  }
}

function repositoriesOf({ metadata }: RegistryContext, digest: string): Promise<string[]> {
  return selectLinkedRepositories(metadata.read, digest, namesLimit);
}

async function scrubManifests({ context, totals, found, progress }: Scrub) {
  const db = context.metadata.read;
  let after: ManifestPosition = { repositoryId: 0, digest: "" };
  for (;;) {
    const page = await selectManifestsAfter(db, after, pageRows);
    if (page.length === 0) return;
    for (const row of page) {
      after = { repositoryId: row.repository_id, digest: row.digest };
      totals.manifests++;
      const bytes = await selectManifestBytes(db, after);
      if (bytes === undefined || digestLike(row.digest, bytes) === row.digest) continue;
      const actual = await takeManifestAway(context, after);
      if (actual === undefined) continue;
      totals.damagedManifests++;
      const { repository, tags } = await selectImageName(db, after, namesLimit);
      found({ kind: "manifest", digest: row.digest, actual, repository, tags });
    }
    await progress("manifests", after.digest);
  }
}

/** @returns the digest that its bytes have; undefined when they are right, or gone */
function takeManifestAway(
  { metadata, clock }: RegistryContext,
  manifest: ManifestPosition,
): Promise<string | undefined> {
  return metadata.transaction(async (tx) => {
    const bytes = await selectManifestBytesForUpdate(tx, manifest);
    const actual = bytes && digestLike(manifest.digest, bytes);
    if (actual === undefined || actual === manifest.digest) return undefined;
    await quarantineManifest(tx, manifest, clock.now());
    return actual;
  });
}

function digestLike(digest: string, bytes: Uint8Array): string {
  const parsed = parseDigest(digest);
  return digestOf(bytes, parsed && digestAlgorithm(parsed));
}

async function scrubReferences(run: Scrub) {
  const { context, totals, progress } = run;
  let after: ReferencePosition = { repositoryId: 0, manifest: "", position: -1 };
  /** The missing references of the image at which the pages have arrived. */
  let missing: CheckedReferenceRow[] = [];
  for (;;) {
    const page = await selectReferencesAfter(context.metadata.read, after, pageRows);
    totals.references += page.length;
    for (const row of page) {
      const [first] = missing;
      if (first?.manifest !== row.manifest || first.repository_id !== row.repository_id) {
        await reportImage(run, missing);
        missing = [];
      }
      if (row.missing === 1) missing.push(row);
      after = {
        repositoryId: row.repository_id,
        manifest: row.manifest,
        position: row.position,
      };
    }
    if (page.length === 0) break;
    await progress("references", after.manifest);
  }
  await reportImage(run, missing);
}

async function reportImage(
  { context, totals, found }: Scrub,
  rows: readonly CheckedReferenceRow[],
) {
  const [first] = rows;
  if (first === undefined) return;
  const blobs = rows.filter(({ role }) => role !== "manifest");
  if (blobs.length === 0) {
    totals.indexesWithoutChildren++;
    return;
  }
  totals.incompleteImages++;
  const position = { repositoryId: first.repository_id, digest: first.manifest };
  const name = await selectImageName(context.metadata.read, position, namesLimit);
  const missing = blobs.slice(0, namesLimit).map(({ digest }) => digest);
  found({ kind: "image", digest: first.manifest, ...name, missing });
}

/** Spreads the bytes over time. After a pause it goes on at the same rate, without catching up. */
function throttle(clock: Clock, bytesPerSecond: number) {
  let due = clock.now();
  return async (bytes: number, signal: AbortSignal | undefined) => {
    due = Math.max(due, clock.now() - 1000) + (bytes / bytesPerSecond) * 1000;
    const ahead = due - clock.now();
    if (ahead > 0) await clock.sleep(ahead, signal);
  };
}
