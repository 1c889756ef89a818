/**
 * Wraps a driver so that nothing is published under a digest that was not calculated here, over
 * the very bytes that are stored.
 *
 * The running hash of an upload lives in memory while its bytes stream in. It cannot be saved: after
 * a restart, on another node, or when another algorithm is asked for at the end, the staged bytes
 * are read once more.
 */
import {
  createHasher,
  type Digest,
  type DigestAlgorithm,
  type DigestHasher,
  digestAlgorithm,
} from "../image/digest.ts";
import type { BlobStage, BlobStore } from "./blob-store.ts";

export class DigestMismatchError extends Error {
  override readonly name = "DigestMismatchError";
  readonly expected: Digest;
  readonly actual: Digest;
  constructor(expected: Digest, actual: Digest) {
    super(`expected ${expected}, the bytes have ${actual}`);
    this.expected = expected;
    this.actual = actual;
  }
}

export interface VerifiedBlobStore extends Omit<BlobStore, "stage"> {
  /**
   * @param algorithm what the running hash uses; a hint that saves a second reading at the end
   */
  stage(uploadId: string, algorithm?: DigestAlgorithm): Promise<BlobStage>;
}

/** Uploads that stream at the same time; beyond this the oldest hash is dropped and made anew. */
const runningHashesLimit = 4096;

interface RunningHash {
  readonly algorithm: DigestAlgorithm;
  readonly hasher: DigestHasher;
  size: number;
}

export function verified(store: BlobStore): VerifiedBlobStore {
  const running = new Map<string, RunningHash>();

  function runningHash(uploadId: string, algorithm: DigestAlgorithm): RunningHash {
    let hash = running.get(uploadId);
    if (hash === undefined) {
      hash = { algorithm, hasher: createHasher(algorithm), size: 0 };
      running.set(uploadId, hash);
      if (running.size > runningHashesLimit) {
        for (const oldest of running.keys()) {
          running.delete(oldest);
          break;
        }
      }
    }
    return hash;
  }

  async function stage(
    uploadId: string,
    algorithm: DigestAlgorithm = "sha256",
  ): Promise<BlobStage> {
    const inner = await store.stage(uploadId);
    return {
      uploadId,
      get size() {
        return inner.size;
      },
      async append(chunks, release) {
        const hash = runningHash(uploadId, algorithm);
        if (hash.size !== inner.size) {
          // The stage holds bytes that this hash has not seen: only a second reading can tell.
          running.delete(uploadId);
          return inner.append(chunks, release);
        }
        try {
          await inner.append(hashing(chunks, hash), release);
        } finally {
          // A failed write may have stored less than was hashed.
          if (hash.size !== inner.size) running.delete(uploadId);
        }
      },
      read: () => inner.read(),
      async publish(digest) {
        const wanted = digestAlgorithm(digest);
        const hash = running.get(uploadId);
        let actual: Digest;
        if (hash !== undefined && hash.size === inner.size && hash.algorithm === wanted) {
          running.delete(uploadId);
          actual = hash.hasher.digest();
        } else {
          actual = await digestOfBlob(await inner.read(), wanted);
        }
        if (actual !== digest) throw new DigestMismatchError(digest, actual);
        await inner.publish(digest);
      },
      async discard() {
        running.delete(uploadId);
        await inner.discard();
      },
    };
  }

  return {
    name: store.name,
    stat: (digest) => store.stat(digest),
    read: (digest) => store.read(digest),
    stages: () => store.stages(),
    withdraw: (digest, id) => store.withdraw(digest, id),
    withdrawn: () => store.withdrawn(),
    sweep: () => store.sweep(),
    list: () => store.list(),
    close: () => store.close(),
    stage,
  };
}

async function* hashing(
  chunks: AsyncIterable<Uint8Array>,
  hash: RunningHash,
): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    hash.hasher.update(chunk);
    hash.size += chunk.byteLength;
    yield chunk;
  }
}

/** Reads a blob through in bounded memory. */
export async function digestOfBlob(blob: Blob, algorithm: DigestAlgorithm): Promise<Digest> {
  const hasher = createHasher(algorithm);
  for await (const chunk of blob.stream()) hasher.update(chunk);
  return hasher.digest();
}
