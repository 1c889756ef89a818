/**
 * One attempt at one replication: claimed -> closure -> transfer -> outcome. The outcome is recorded
 * only under the lease with which the attempt began, so an attempt that was overtaken changes
 * nothing; and because the destination's side is idempotent, an attempt that was cut off anywhere is
 * simply followed by another.
 */

import { parseDigest } from "../image/digest.ts";
import type { MetadataStore, Transaction } from "../metadata/metadata-store.ts";
import { selectImagesByDigest } from "../metadata/queries/images.ts";
import { hastenRefused, postponeRefused } from "../metadata/queries/refused-replications.ts";
import {
  type ClaimedReplication,
  completeReplication,
  deferReplication,
  failReplication,
  releaseReplication,
  renewReplicationLease,
  retryReplication,
} from "../metadata/queries/replications.ts";
import type { RegistryContext } from "../registry/context.ts";
import { loadClosure } from "./closure.ts";
import { asFailure, isRefusalCode, ReplicationFailure, refusalCodes } from "./failure.ts";
import type { Lane, Link } from "./link.ts";
import type { ReplicationLog } from "./log.ts";
import type { ReplicationMetrics } from "./metrics.ts";
import { offerLimits } from "./offer.ts";
import { type BackOff, delay } from "./retry.ts";
import { type TransferResult, type TransferSettings, transferImage } from "./transfer.ts";

export interface AttemptSettings {
  readonly transfer: TransferSettings;
  readonly backOff: BackOff;
  /** How soon what a destination refuses is asked again: how long a consent may go unnoticed. */
  readonly refusalBackOff: BackOff;
  readonly leaseMilliseconds: number;
  readonly quickBytesLimit: number;
}

export interface AttemptPorts {
  readonly context: RegistryContext;
  readonly settings: AttemptSettings;
  readonly metrics: ReplicationMetrics;
  readonly log: ReplicationLog;
}

/** How an attempt ended; `lost` when a newer claim or a newer push has overtaken it. */
export type AttemptOutcome =
  | { readonly kind: "complete" | "deferred" | "released" | "lost" }
  | { readonly kind: "retry" | "failed"; readonly failure: ReplicationFailure };

/** The worker is stopping. */
export class Stopped extends Error {}
class LeaseLost extends Error {}

/**
 * Never throws for what goes wrong with the transfer: that becomes the row's outcome.
 * @param place the attempt's place in its lane; exchanged for one in the bulk lane if need be
 * @throws when the database does; the lease then runs out and another attempt follows
 */
export async function attemptReplication(
  ports: AttemptPorts,
  link: Link,
  row: ClaimedReplication,
  place: { lane: Lane; release: () => void },
  stop: AbortSignal,
): Promise<AttemptOutcome> {
  const { context, settings, metrics } = ports;
  const controller = new AbortController();
  const onStop = () => controller.abort(new Stopped());
  if (stop.aborted) onStop();
  stop.addEventListener("abort", onStop, { once: true });
  const ended = new AbortController();
  const sent = { total: 0, recorded: 0 };
  const lease = leaseKeeper(ports, row, sent, ended.signal, () => {
    controller.abort(new LeaseLost());
  });
  const onSent = (bytes: number) => {
    sent.total += bytes;
    metrics.bytesSent.add(bytes, { region: link.region });
  };
  const endLease = async () => {
    ended.abort();
    await lease;
    return sent.total - sent.recorded;
  };
  try {
    const result = await replicate(ports, link, row, place, controller.signal, onSent);
    return await recordResult(ports, row, result, await endLease());
  } catch (error) {
    const bytesSent = await endLease();
    const now = context.clock.now();
    if (error instanceof LeaseLost) return { kind: "lost" };
    if (error instanceof Stopped) {
      await write(context.metadata, (tx) => releaseReplication(tx, row, { now, bytesSent }));
      return { kind: "released" };
    }
    return recordFailure(ports, row, error, bytesSent, settings);
  } finally {
    ended.abort();
    stop.removeEventListener("abort", onStop);
    place.release();
  }
}

async function replicate(
  { context, settings }: AttemptPorts,
  link: Link,
  row: ClaimedReplication,
  place: { lane: Lane; release: () => void },
  signal: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<TransferResult> {
  if (link.peer.ownAccountOnly && row.destination_account !== row.account) {
    throw new ReplicationFailure(
      "account_unknown",
      `${link.region} takes images of the account ${row.destination_account} only from itself`,
    );
  }
  const digest = parseDigest(row.digest);
  const closure =
    digest && (await loadClosure(context.metadata.read, row.repository_id, digest, offerLimits));
  if (digest === undefined || closure === undefined) {
    throw new ReplicationFailure(
      "image_deleted",
      `${row.digest} is not in the repository any more`,
    );
  }
  const [image] = await selectImagesByDigest(context.metadata.read, row.repository_id, [digest]);
  if (image?.storage_class === "ARCHIVE") {
    throw new ReplicationFailure("image_archived", `${row.digest} is archived`);
  }
  const tag = { name: row.tag, clock: row.clock, origin: row.origin };
  const result = await transferImage(
    {
      peer: link.peer,
      blobs: context.blobs,
      clock: context.clock,
      sharedBlobs: link.sharedBlobs,
      acquireStream: (streamSignal) => link.streams[place.lane].acquire(streamSignal),
      settings: settings.transfer,
    },
    {
      closure,
      sourceAccount: row.account,
      account: row.destination_account,
      repository: row.repository,
      tag: row.tag === "" ? undefined : tag,
      admit: ({ bytes }) =>
        bytes <= settings.quickBytesLimit ||
        place.lane === "bulk" ||
        // A backfill takes its turn in the bulk lane like any other of its kind.
        (row.backlog === 0 && moveToBulk(link, place)),
      onSent,
    },
    signal,
  );
  if (result.outcome === "applied" && result.tag === "immutable") {
    throw new ReplicationFailure(
      "tag_immutable",
      `${row.digest} arrived; the tag '${row.tag}' points at another image there and may not be moved`,
    );
  }
  return result;
}

/** False when the bulk lane has no place. */
function moveToBulk(link: Link, place: { lane: Lane; release: () => void }): boolean {
  const release = link.images.bulk.tryAcquire();
  if (release === undefined) return false;
  place.release();
  place.lane = "bulk";
  place.release = release;
  return true;
}

/** Renews the lease while the attempt lasts; what was sent is recorded on the way. */
async function leaseKeeper(
  { context, settings, log }: AttemptPorts,
  row: ClaimedReplication,
  sent: { total: number; recorded: number },
  ended: AbortSignal,
  onLost: () => void,
): Promise<void> {
  const { clock, metadata } = context;
  for (;;) {
    await clock.sleep(settings.leaseMilliseconds / 3, ended);
    if (ended.aborted) return;
    const bytesSent = sent.total - sent.recorded;
    const leaseUntil = clock.now() + settings.leaseMilliseconds;
    try {
      const renewed = await write(metadata, (tx) =>
        renewReplicationLease(tx, row, { leaseUntil, bytesSent }),
      );
      if (!renewed) return onLost();
      sent.recorded += bytesSent;
    } catch (error) {
      log.warn({ error, replication: row.id }, "could not renew the lease of a replication");
    }
  }
}

async function recordResult(
  { context, metrics }: AttemptPorts,
  row: ClaimedReplication,
  result: TransferResult,
  bytesSent: number,
): Promise<AttemptOutcome> {
  const now = context.clock.now();
  if (result.outcome === "deferred") {
    const bytesRemaining = result.missingBytes;
    await write(context.metadata, (tx) => deferReplication(tx, row, { now, bytesRemaining }));
    return { kind: "deferred" };
  }
  const recorded = await write(context.metadata, async (tx) => {
    const completed = await completeReplication(tx, row, { now, bytesSent });
    // The destination has changed its mind: all that it has refused asks again.
    if (completed && isRefusalCode(row.failure_code)) await hastenAll(tx, row, now);
    return completed;
  });
  if (!recorded) return { kind: "lost" };
  const seconds = Math.max(0, now - row.created_at) / 1000;
  metrics.pushToPullable.observe(seconds, { region: row.destination_region });
  return { kind: "complete" };
}

async function recordFailure(
  { context, log }: AttemptPorts,
  row: ClaimedReplication,
  error: unknown,
  bytesSent: number,
  settings: AttemptSettings,
): Promise<AttemptOutcome> {
  const failure = asFailure(error);
  const { code, kind } = failure;
  if (code === "source_error") {
    log.error({ error, replication: row.id }, "a replication failed unexpectedly");
  }
  const now = context.clock.now();
  const text = failure.message;
  const record = { code, side: kind.side, text, now, bytesSent };
  // A backfill ends with what it could not bring; it does not wait for anybody's consent.
  if (kind.terminal || (kind.refusal && row.backlog === 1)) {
    await write(context.metadata, (tx) => failReplication(tx, row, record));
    return { kind: "failed", failure };
  }
  // An attempt that got bytes across begins the back-off anew: a large blob on a line that breaks
  // every minute must not wait longer and longer.
  const attempts = bytesSent > 0 ? 1 : row.attempts;
  const backOff = kind.refusal ? settings.refusalBackOff : settings.backOff;
  const dueAt = now + delay(attempts, context.random, backOff);
  await write(context.metadata, async (tx) => {
    const recorded = await retryReplication(tx, row, record, { dueAt, attempts });
    if (!recorded || !kind.refusal) return;
    const destination = {
      destinationRegion: row.destination_region,
      destinationAccount: row.destination_account,
    };
    const refused = { repositoryId: row.repository_id, ...destination, dueAt };
    await postponeRefused(tx, refused, record);
  });
  return { kind: "retry", failure };
}

function hastenAll(tx: Transaction, row: ClaimedReplication, now: number): Promise<void> {
  const { destination_region: region, destination_account: account } = row;
  return hastenRefused(tx, { region, account, now, codes: refusalCodes });
}

/**
 * Not durable: after a power cut the row may say that the attempt has not ended. Another one follows,
 * and the destination answers that everything is there.
 */
export function write<T>(
  metadata: MetadataStore,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return metadata.transaction(work, { durable: false });
}
