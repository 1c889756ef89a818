/**
 * The destination's side of a blob that arrives in parts. Its stage is named after its digest, so
 * that any source, after any interruption on either side, goes on where the bytes end.
 */
import type { BlobStage } from "../blobs/blob-store.ts";
import { DigestMismatchError } from "../blobs/verified.ts";
import { type Digest, digestAlgorithm, digestOf } from "../image/digest.ts";
import { selectIncomingBlobs, upsertIncomingBlob } from "../metadata/queries/incoming-blobs.ts";
import { deleteUpload } from "../metadata/queries/uploads.ts";
import type { RegistryContext } from "../registry/context.ts";
import { publishBlob } from "../registry/publish-blob.ts";
import { ReplicationFailure } from "./failure.ts";
import type { BlobAnswer, MissingBlob } from "./offer.ts";
import { watchdog } from "./watchdog.ts";

export interface IncomingPart {
  readonly digest: Digest;
  /** Of the whole blob, in bytes. */
  readonly size: number;
  readonly offset: number;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface IncomingBlobs {
  /** @throws ReplicationFailure `digest_mismatch`, `offer_invalid`, `destination_stalled` */
  receive(part: IncomingPart): Promise<BlobAnswer>;
  /** How much of each is here, and whether somebody sends it now. */
  progress(digests: readonly Digest[]): Promise<MissingBlob[]>;
}

export interface IncomingBlobSettings {
  /** A part from which nothing arrives for so long is given up; what came of it stays. */
  readonly stallMilliseconds: number;
  /** A part from which nothing arrives for so long gives way to another sender. */
  readonly yieldMilliseconds: number;
}

interface Receiving {
  movedAt: number;
  readonly giveWay: () => void;
  readonly ended: Promise<unknown>;
}

export function incomingBlobs(
  context: RegistryContext,
  settings: IncomingBlobSettings,
): IncomingBlobs {
  const { clock } = context;
  const receiving = new Map<Digest, Receiving>();

  async function receive(part: IncomingPart): Promise<BlobAnswer> {
    const { digest } = part;
    for (let other = receiving.get(digest); other; other = receiving.get(digest)) {
      const still = clock.now() - other.movedAt;
      // Negative when the clock was set back: then nobody knows, and giving way loses nothing.
      if (still >= 0 && still < settings.yieldMilliseconds) return { outcome: "busy" };
      other.giveWay();
      await other.ended;
    }
    const stop = Promise.withResolvers<never>();
    stop.promise.catch(() => {});
    const done = Promise.withResolvers<void>();
    const own: Receiving = {
      movedAt: clock.now(),
      giveWay: () => stop.reject(stalled(digest)),
      ended: done.promise,
    };
    receiving.set(digest, own);
    const dog = watchdog(clock, settings.stallMilliseconds, own.giveWay);
    const bytes = interruptible(part.bytes, stop.promise, () => {
      own.movedAt = clock.now();
      dog.feed();
    });
    try {
      return await context.uploadMutex.runExclusively(stageName(digest), () =>
        receivePart(context, { ...part, bytes }, () => dog.end()),
      );
    } finally {
      dog.end();
      receiving.delete(digest);
      done.resolve();
    }
  }

  async function progress(digests: readonly Digest[]): Promise<MissingBlob[]> {
    const names = new Map(digests.map((digest) => [digest, stageName(digest)]));
    const open = await selectIncomingBlobs(context.metadata.read, [...names.values()]);
    const found: MissingBlob[] = [];
    for (const [digest, name] of names) {
      const stage = open.has(name) ? await context.blobs.stage(name) : undefined;
      found.push({ digest, offset: stage?.size ?? 0, busy: receiving.has(digest) });
    }
    return found;
  }

  return { receive, progress };
}

async function receivePart(
  context: RegistryContext,
  { digest, size, offset, bytes }: IncomingPart,
  onReceived: () => void,
): Promise<BlobAnswer> {
  const name = stageName(digest);
  const algorithm = digestAlgorithm(digest);
  const now = context.clock.now();
  await context.metadata.transaction(
    (tx) => upsertIncomingBlob(tx, { id: name, digestAlgorithm: algorithm, now }),
    { durable: false },
  );
  const stage = await context.blobs.stage(name, algorithm);
  if (stage.size > size) {
    // Not this blob's bytes: whatever left them, they cannot become it.
    await drop(context, stage);
    return { outcome: "offset", held: 0 };
  }
  if (stage.size !== offset) return { outcome: "offset", held: stage.size };
  await stage.append(atMost(bytes, size - offset, digest));
  onReceived();
  if (stage.size < size) return { outcome: "held", held: stage.size };
  try {
    await publishBlob(context, stage, digest, async (tx) => {
      await deleteUpload(tx, name);
    });
  } catch (error) {
    if (!(error instanceof DigestMismatchError)) throw error;
    await drop(context, stage);
    throw new ReplicationFailure("digest_mismatch", error.message, { cause: error });
  }
  await stage.discard();
  return { outcome: "held", held: size };
}

async function drop(context: RegistryContext, stage: BlobStage): Promise<void> {
  await stage.discard();
  await context.metadata.transaction((tx) => deleteUpload(tx, stage.uploadId), { durable: false });
}

/** Stage names are short and have few characters, digests do not: sha512 has 135. */
function stageName(digest: Digest): string {
  return `replication-${digestOf(new TextEncoder().encode(digest)).slice(7, 7 + 48)}`;
}

async function* atMost(
  bytes: AsyncIterable<Uint8Array>,
  limit: number,
  digest: Digest,
): AsyncIterable<Uint8Array> {
  let rest = limit;
  for await (const chunk of bytes) {
    rest -= chunk.byteLength;
    if (rest < 0) throw new ReplicationFailure("offer_invalid", `${digest} is longer than stated`);
    yield chunk;
  }
}

/** Ends with the rejection of `stop`, without waiting for a source that says nothing any more. */
async function* interruptible(
  bytes: AsyncIterable<Uint8Array>,
  stop: Promise<never>,
  onMoved: () => void,
): AsyncIterable<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([iterator.next(), stop]);
      if (next.done) return;
      onMoved();
      yield next.value;
    }
  } finally {
    // Not awaited: a source that hangs would hang here too.
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

function stalled(digest: Digest): ReplicationFailure {
  return new ReplicationFailure("destination_stalled", `nothing of ${digest} arrives any more`);
}
