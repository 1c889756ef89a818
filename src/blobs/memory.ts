/** Blobs in memory: for tests and the simulator. */
import type { Digest } from "../image/digest.ts";
import type { BlobStage, BlobStat, BlobStore } from "./blob-store.ts";
import { checkUploadId } from "./upload-id.ts";

export function memoryBlobStore(): BlobStore {
  const blobs = new Map<Digest, Blob>();
  const stages = new Map<string, Uint8Array<ArrayBuffer>[]>();
  const quarantined = new Map<Digest, Blob>();

  function stage(uploadId: string): BlobStage {
    checkUploadId(uploadId);
    /** One that was only opened is no stage yet. */
    const parts = () => stages.get(uploadId) ?? [];
    const content = () => new Blob(parts());
    let size = content().size;
    return {
      uploadId,
      get size() {
        return size;
      },
      async append(chunks) {
        const held = parts();
        size = content().size;
        for await (const chunk of chunks) {
          if (chunk.byteLength === 0) continue;
          stages.set(uploadId, held);
          held.push(new Uint8Array(chunk));
          size += chunk.byteLength;
        }
      },
      async read() {
        return content();
      },
      async publish(digest) {
        const staged = content();
        if (staged.size !== size) throw new Error(`the stage ${uploadId} was changed meanwhile`);
        blobs.set(digest, staged);
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
