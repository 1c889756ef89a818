/** Blobs in memory: for tests and the simulator. */
import type { Digest } from "../image/digest.ts";
import type { BlobStage, BlobStat, BlobStore, WithdrawnBlob } from "./blob-store.ts";

export function memoryBlobStore(): BlobStore {
  const blobs = new Map<Digest, { content: Blob; revision: string }>();
  const stages = new Map<string, Uint8Array[]>();
  const withdrawnBlobs = new Map<string, WithdrawnBlob>();
  const quarantined = new Map<Digest, Blob>();
  let revisions = 0;

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
        if (stages.get(uploadId) !== parts) throw new Error(`the stage ${uploadId} is gone`);
        blobs.set(digest, { content: content(), revision: String(++revisions) });
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
