/**
 * Blobs on their way from an upstream. However many want one, it is fetched once; each reads what has
 * arrived so far from the stage, and the last bytes only when the whole was verified, so that nobody
 * ever gets a complete blob with wrong bytes. A puller that goes away changes nothing.
 */
import type { BlobStage } from "../blobs/blob-store.ts";
import { DigestMismatchError } from "../blobs/verified.ts";
import { type Digest, digestAlgorithm, digestEncoded } from "../image/digest.ts";
import { linkBlob, touchBlob } from "../metadata/queries/blobs.ts";
import { upsertIncomingBlob } from "../metadata/queries/incoming-blobs.ts";
import { deleteUpload } from "../metadata/queries/uploads.ts";
import type { RegistryContext } from "../registry/context.ts";
import { publishBlob } from "../registry/publish-blob.ts";
import type { Semaphore } from "../replication/semaphore.ts";
import { paced, type Upstream } from "./upstream.ts";
import { UpstreamError } from "./upstream-error.ts";

export interface BlobFetch {
  /** The size of the whole, once it is known. */
  readonly size: Promise<number>;
  /** Resolves when the blob is in the repository. @throws UpstreamError */
  readonly done: Promise<void>;
  /** The bytes as they arrive; fails when the fetch does. */
  stream(): AsyncGenerator<Uint8Array>;
}

export interface BlobFetchInput {
  readonly upstream: Upstream;
  /** The repository's name there. */
  readonly name: string;
  readonly repositoryId: number;
  readonly digest: Digest;
  /** As a manifest states it. */
  readonly size?: number;
}

export interface BlobFetches {
  fetch(input: BlobFetchInput): BlobFetch;
  /** Gives up what is under way and resolves when all has ended. */
  stop(): Promise<void>;
}

export interface BlobFetchOptions {
  readonly context: RegistryContext;
  readonly streams: Semaphore;
  readonly stallMilliseconds: number;
}

/** So much is gathered before pullers see it. */
const partBytes = 2 * 1024 * 1024;
/** Held back until the digest is known to be right. */
const heldBackBytes = 1;
const attemptsLimit = 4;

export function blobFetches(options: BlobFetchOptions): BlobFetches {
  const { context, streams, stallMilliseconds } = options;
  const running = new Map<string, BlobFetch>();
  const stopping = new AbortController();
  let serial = 0;

  function fetch(input: BlobFetchInput): BlobFetch {
    const key = `${input.repositoryId} ${input.digest}`;
    const present = running.get(key);
    if (present !== undefined) return present;
    const started = begin(input);
    running.set(key, started);
    const end = () => running.delete(key);
    started.done.then(end, end);
    return started;
  }

  function begin(input: BlobFetchInput): BlobFetch {
    const { digest } = input;
    const size = Promise.withResolvers<number>();
    size.promise.catch(() => {});
    let held = 0;
    let stage: BlobStage | undefined;
    let outcome: "arrived" | { readonly error: unknown } | undefined;
    let moved = Promise.withResolvers<void>();
    const move = () => {
      moved.resolve();
      moved = Promise.withResolvers();
    };

    async function run(): Promise<void> {
      const known = await linkIfKnown(input);
      if (known !== undefined) return size.resolve(known);
      const release = await streams.acquire(stopping.signal);
      const id = `cache-${digestEncoded(digest).slice(0, 32)}-${++serial}-${context.random.uuid().slice(0, 8)}`;
      const algorithm = digestAlgorithm(digest);
      try {
        await context.metadata.transaction(
          (tx) =>
            upsertIncomingBlob(tx, { id, digestAlgorithm: algorithm, now: context.clock.now() }),
          { durable: false },
        );
        stage = await context.blobs.stage(id, algorithm);
        await receive(stage, input, size.resolve, (bytes) => {
          held = bytes;
          move();
        });
        await publishBlob(context, stage, digest, async (tx, now) => {
          await linkBlob(tx, input.repositoryId, digest, now);
          await deleteUpload(tx, id);
        });
      } catch (error) {
        await context.metadata.transaction((tx) => deleteUpload(tx, id), { durable: false });
        if (!(error instanceof DigestMismatchError)) throw error;
        throw new UpstreamError("invalid", `the upstream sent other bytes for ${digest}`, {
          cause: error,
        });
      } finally {
        await stage?.discard();
        release();
      }
    }

    const done = run().then(
      () => {
        outcome = "arrived";
        move();
      },
      (error: unknown) => {
        outcome = { error };
        size.reject(error);
        move();
        throw error;
      },
    );
    done.catch(() => {});

    async function* stream(): AsyncGenerator<Uint8Array> {
      for (let sent = 0; ; ) {
        const next = moved.promise;
        if (outcome !== undefined && outcome !== "arrived") throw outcome.error;
        if (outcome === "arrived") {
          const whole = await context.blobs.read(digest);
          if (whole === undefined) throw new Error(`${digest} was fetched and is gone`);
          yield* chunksOf(whole.slice(sent));
          return;
        }
        const until = held - heldBackBytes;
        if (stage !== undefined && until > sent) {
          // The stage goes away when the blob is published; then its bytes are under the digest.
          const part = (await stage.read()).slice(sent, until);
          const bytes = await part.bytes().catch(() => undefined);
          if (bytes !== undefined && bytes.byteLength === part.size && part.size > 0) {
            sent += bytes.byteLength;
            yield bytes;
            continue;
          }
        }
        await next;
      }
    }

    return { size: size.promise, done, stream };
  }

  /** What is in the region already is not fetched again: the upstream's repository has it too. */
  async function linkIfKnown(input: BlobFetchInput): Promise<number | undefined> {
    const { digest, repositoryId, upstream, name } = input;
    if ((await context.blobs.stat(digest)) === undefined) return undefined;
    // Without a manifest of the upstream that names it, only the upstream can say that it has it.
    if (input.size === undefined) await upstream.blobSize(name, digest, stopping.signal);
    return context.metadata.transaction(async (tx) => {
      const now = context.clock.now();
      const held = await touchBlob(tx, digest, now);
      // While we hold the row the collector cannot take the bytes; before that it could.
      if (held === undefined || (await context.blobs.stat(digest)) === undefined) return undefined;
      await linkBlob(tx, repositoryId, digest, now);
      return held.size;
    });
  }

  async function receive(
    stage: BlobStage,
    { upstream, name, digest, size: stated }: BlobFetchInput,
    onSize: (bytes: number) => void,
    onHeld: (bytes: number) => void,
  ): Promise<void> {
    const limit = context.settings.blobBytesLimit;
    let size = stated;
    for (let attempt = 1; ; attempt++) {
      const before = stage.size;
      try {
        const answer = await upstream.blob(name, digest, before, stopping.signal);
        if (answer.offset > before) throw invalid(`${digest} does not begin where it was asked`);
        if (answer.size !== undefined) {
          if (size !== undefined && size !== answer.size) {
            await answer.body.cancel();
            throw invalid(`${digest} has ${answer.size} bytes there, and should have ${size}`);
          }
          size = answer.size;
        }
        if ((size ?? 0) > limit) throw invalid(`${digest} is larger than this registry takes`);
        if (size !== undefined) onSize(size);
        const chunks = paced(answer.body, context.clock, stallMilliseconds, stopping.signal);
        for await (const part of parts(chunks, before - answer.offset)) {
          if (stage.size + part.byteLength > (size ?? limit))
            throw invalid(`${digest} does not end`);
          await stage.append(once(part));
          onHeld(stage.size);
        }
        if (size !== undefined && stage.size < size) {
          throw new UpstreamError("unavailable", "the upstream ended a blob too early");
        }
        onSize(stage.size);
        return;
      } catch (error) {
        const mayRetry = error instanceof UpstreamError && error.failure === "unavailable";
        // What moved may go on moving; what never began is the upstream's answer.
        if (!mayRetry || stage.size === before || attempt === attemptsLimit) throw error;
      }
    }
  }

  return {
    fetch,
    async stop() {
      stopping.abort(new UpstreamError("unavailable", "the registry is stopping"));
      await Promise.allSettled([...running.values()].map(({ done }) => done));
    },
  };
}

function invalid(text: string): UpstreamError {
  return new UpstreamError("invalid", text);
}

/** Joins chunks into parts, without the first `skip` bytes, which are here already. */
async function* parts(chunks: AsyncIterable<Uint8Array>, skip: number): AsyncGenerator<Uint8Array> {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  let rest = skip;
  try {
    for await (const chunk of chunks) {
      const wanted = chunk.subarray(Math.min(rest, chunk.byteLength));
      rest -= chunk.byteLength - wanted.byteLength;
      if (wanted.byteLength === 0) continue;
      gathered.push(wanted);
      bytes += wanted.byteLength;
      if (bytes < partBytes) continue;
      yield Buffer.concat(gathered);
      gathered = [];
      bytes = 0;
    }
  } catch (error) {
    // What has arrived need not be fetched again.
    if (bytes > 0) yield Buffer.concat(gathered);
    throw error;
  }
  if (bytes > 0) yield Buffer.concat(gathered);
}

async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}

async function* chunksOf(blob: Blob): AsyncGenerator<Uint8Array> {
  for await (const chunk of blob.stream()) yield chunk;
}
