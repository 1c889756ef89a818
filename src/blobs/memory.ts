/** Blobs in memory: for tests and the simulator. */
import type { Digest } from "../image/digest.ts";
import type { BlobStage, BlobStat, BlobStore } from "./blob-store.ts";

export function memoryBlobStore(): BlobStore {
  const blobs = new Map<Digest, Blob>();
  const stages = new Map<string, Uint8Array[]>();
  const quarantined = new Map<Digest, Blob>();

  function stage(uploadId: string): BlobStage {
    const parts = stages.get(uploadId) ?? [];
    stages.set(uploadId, parts);
    let size = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const content = () => new Blob(parts as BlobPart[]);
    return {
      uploadId,
      get size() {
        return size;
      },
      async append(chunks) {
        for await (const chunk of chunks) {
          if (chunk.byteLength === 0) continue;
          parts.push(chunk.slice());
          size += chunk.byteLength;
        }
      },
      async read() {
        return content();
      },
      async publish(digest) {
        blobs.set(digest, content());
      },
      async discard() {
        stages.delete(uploadId);
      },
    };
  }

  return {
    name: "memory",
    async stat(digest) {
      const blob = blobs.get(digest);
      return blob && { digest, size: blob.size };
    },
    async read(digest) {
      return blobs.get(digest);
    },
    async stage(uploadId) {
      return stage(uploadId);
    },
    async *stages() {
      yield* [...stages.keys()];
    },
    async delete(digest) {
      blobs.delete(digest);
    },
    async quarantine(digest) {
      const blob = blobs.get(digest);
      if (blob) quarantined.set(digest, blob);
      blobs.delete(digest);
    },
    async *list(): AsyncIterable<BlobStat> {
      for (const [digest, blob] of [...blobs]) yield { digest, size: blob.size };
    },
    async close() {},
  };
}
