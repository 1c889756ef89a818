/**
 * Brings one image closure to one destination: offer -> missing -> blobs in parallel -> the same
 * offer again. Nothing is remembered between attempts: the destination always says what it lacks and
 * how much of it has arrived.
 */
import { digestOfBlob, type VerifiedBlobStore } from "../blobs/verified.ts";
import { type Digest, digestAlgorithm } from "../image/digest.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ClosureBlob, ImageClosure } from "./closure.ts";
import { ReplicationFailure } from "./failure.ts";
import type { Offer, OfferedTag, TagOutcome } from "./offer.ts";
import type { Peer } from "./peer.ts";
import {
  type BlobStreamPlan,
  type InlineLimits,
  planTransfer,
  type TransferPlan,
  unaskedBlobs,
} from "./planner.ts";
import type { SharedWork } from "./shared-work.ts";

export interface TransferSettings {
  readonly inline: InlineLimits;
  /** A request carries at most this much of a blob: it bounds what waits for one answer. */
  readonly partBytes: number;
  /** How long to wait before asking again for a blob that another region is sending. */
  readonly busyMilliseconds: number;
  /** Rounds in which nothing more arrived, before the attempt gives up. */
  readonly idleRoundsLimit: number;
}

export interface TransferPorts {
  readonly peer: Peer;
  readonly blobs: Pick<VerifiedBlobStore, "read">;
  readonly clock: Clock;
  /** Keyed by digest; one for each destination. */
  readonly sharedBlobs: SharedWork<void>;
  /** Waits for one of the destination's streams; resolves to what gives it back. */
  readonly acquireStream: (signal: AbortSignal) => Promise<() => void>;
  readonly settings: TransferSettings;
}

export interface ImageTransfer {
  readonly closure: ImageClosure;
  readonly sourceAccount: string;
  /** At the destination. */
  readonly account: string;
  readonly repository: string;
  readonly tag: OfferedTag | undefined;
  /** Asked once it is known what is missing; false puts the image off. */
  readonly admit: (plan: TransferPlan) => boolean;
  /** Told of bytes of blobs as they leave. */
  readonly onSent: (bytes: number) => void;
}

export type TransferResult =
  | { readonly outcome: "applied"; readonly tag: TagOutcome }
  | { readonly outcome: "deferred"; readonly missingBytes: number };

/** @throws ReplicationFailure, or the signal's reason */
export async function transferImage(
  ports: TransferPorts,
  image: ImageTransfer,
  signal: AbortSignal,
): Promise<TransferResult> {
  const { closure } = image;
  const { settings } = ports;
  let inline = unaskedBlobs(closure.blobs, settings.inline);
  let leastMissing = Number.POSITIVE_INFINITY;
  for (let idleRounds = 0; ; ) {
    const answer = await ports.peer.offer(await makeOffer(ports, image, inline), signal);
    signal.throwIfAborted();
    if (answer.outcome === "applied") return answer;
    const plan = planTransfer(closure.blobs, answer.blobs, settings.inline);
    if (!image.admit(plan)) return { outcome: "deferred", missingBytes: plan.bytes };
    idleRounds = plan.bytes < leastMissing ? 0 : idleRounds + 1;
    leastMissing = Math.min(leastMissing, plan.bytes);
    if (idleRounds > settings.idleRoundsLimit) throw noProgress(plan);
    await sendBlobs(ports, image, plan.streams, signal);
    inline = [...plan.inline];
    if (plan.busy.length > 0) await ports.clock.sleep(settings.busyMilliseconds, signal);
    signal.throwIfAborted();
  }
}

function noProgress(plan: TransferPlan): ReplicationFailure {
  const [busy] = plan.busy;
  return busy === undefined
    ? new ReplicationFailure("destination_error", "the destination asks again for what it was sent")
    : new ReplicationFailure("blob_busy", `${busy} is being sent by another region`);
}

async function makeOffer(
  { blobs }: TransferPorts,
  { closure, sourceAccount, account, repository, tag }: ImageTransfer,
  inline: readonly ClosureBlob[],
): Promise<Offer> {
  const bytes = new Map<Digest, Uint8Array<ArrayBuffer>>();
  for (const blob of inline) {
    const content = await readBlob(blobs, blob);
    bytes.set(blob.digest, new Uint8Array(await content.arrayBuffer()));
  }
  const { root: digest } = closure;
  return { ...closure, digest, sourceAccount, account, repository, tag, inline: bytes };
}

/**
 * Waits for all of them before it reports the first failure: what the others have sent stays at the
 * destination and need not be sent again.
 */
async function sendBlobs(
  ports: TransferPorts,
  image: ImageTransfer,
  streams: readonly BlobStreamPlan[],
  signal: AbortSignal,
): Promise<void> {
  const results = await Promise.allSettled(
    streams.map((stream) =>
      ports.sharedBlobs.run(stream.digest, signal, async (sharedSignal) => {
        const release = await ports.acquireStream(sharedSignal);
        try {
          await sendBlob(ports, image, stream, sharedSignal);
        } finally {
          release();
        }
      }),
    ),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/** Sends a blob part by part from where the destination is; returns early when it is busy there. */
async function sendBlob(
  { peer, blobs, settings }: TransferPorts,
  { account, repository, onSent }: ImageTransfer,
  { digest, size, offset }: BlobStreamPlan,
  signal: AbortSignal,
): Promise<void> {
  const content = await readBlob(blobs, { digest, size });
  let held = offset;
  for (let idle = 0; idle <= settings.idleRoundsLimit; ) {
    const bytes = content.slice(held, Math.min(held + settings.partBytes, size));
    const part = { account, repository, digest, size, offset: held, bytes };
    const answer = await peer.sendBlob(part, signal, onSent).catch(async (error) => {
      throw await blameDamage(error, content, digest);
    });
    if (answer.outcome === "busy") return;
    if (answer.outcome === "held" && answer.held === size) return;
    idle = answer.held > held ? 0 : idle + 1;
    held = Math.min(answer.held, size);
  }
  throw new ReplicationFailure("destination_error", `the destination does not take ${digest}`);
}

/** Wrong bytes arrived: from the line, or from our own disk? */
async function blameDamage(error: unknown, content: Blob, digest: Digest): Promise<unknown> {
  if (!(error instanceof ReplicationFailure) || error.code !== "digest_mismatch") return error;
  const actual = await digestOfBlob(content, digestAlgorithm(digest));
  if (actual === digest) return error;
  const text = `the source's copy of ${digest} is damaged: its bytes have ${actual}`;
  return new ReplicationFailure("blob_unavailable", text, { cause: error });
}

async function readBlob(blobs: TransferPorts["blobs"], blob: ClosureBlob): Promise<Blob> {
  const content = await blobs.read(blob.digest);
  if (content === undefined || content.size !== blob.size) {
    throw new ReplicationFailure("blob_unavailable", `${blob.digest} cannot be read at the source`);
  }
  return content;
}
