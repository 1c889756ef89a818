/** Blobs in memory: for tests and the simulator. */
import type { Digest } from "../image/digest.ts";
import type { BlobStage, BlobStat, BlobStore, WithdrawnBlob } from "./blob-store.ts";
import { checkUploadId } from "./upload-id.ts";

export function memoryBlobStore(): BlobStore {
  const blobs = new Map<Digest, { content: Blob; revision: string }>();
  const stages = new Map<string, Uint8Array<ArrayBuffer>[]>();
  const withdrawnBlobs = new Map<string, WithdrawnBlob>();
  const quarantined = new Map<Digest, Blob>();
  let revisions = 0;

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
        blobs.set(digest, { content: staged, revision: String(++revisions) });
      },
      async discard() {
        stages.delete(uploadId);
      },
    };
  }

  function withdraw(digest: Digest, id: string): WithdrawnBlob | undefined {
    const blob = blobs.get(digest);
    if (blob === undefined) return undefined;
    const end = () => withdrawnBlobs.delete(`${digest} ${id}`);
    const withdrawn: WithdrawnBlob = {
      digest,
      size: blob.content.size,
      id,
      async read() {
        return blob.content;
      },
      async restore() {
        if (end() && !blobs.has(digest)) blobs.set(digest, blob);
      },
      async destroy() {
        end();
      },
      async quarantine() {
        if (end()) quarantined.set(digest, blob.content);
      },
    };
    withdrawnBlobs.set(`${digest} ${id}`, withdrawn);
    blobs.delete(digest);
    return withdrawn;
  }

  const statOf = (digest: Digest): BlobStat | undefined => {
    const blob = blobs.get(digest);
    return blob && { digest, size: blob.content.size, revision: blob.revision };
  };

  return {
    name: "memory",
    async stat(digest) {
      return statOf(digest);
    },
    async read(digest) {
      return blobs.get(digest)?.content;
    },
    async stage(uploadId) {
      return stage(uploadId);
    },
    async *stages() {
      yield* [...stages.keys()];
    },
    async withdraw(digest, id) {
      return withdraw(digest, id);
    },
    async *withdrawn() {
      yield* [...withdrawnBlobs.values()];
    },
    async sweep() {
      return 0;
    },
    async *list(): AsyncIterable<BlobStat> {
      for (const digest of [...blobs.keys()]) {
        const stat = statOf(digest);
        if (stat !== undefined) yield stat;
      }
    },
    async close() {},
  };
}
