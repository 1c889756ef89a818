/** Every driver of the blob store, so that a suite can run on each. */
import type { BlobStore } from "../../src/blobs/blob-store.ts";
import { filesystemBlobStore } from "../../src/blobs/filesystem.ts";
import { memoryBlobStore } from "../../src/blobs/memory.ts";
import { memoryDirectory } from "./temporary-directory.ts";

/** An empty store; its `close` removes what it holds. */
export const blobStores: readonly (readonly [string, () => Promise<BlobStore>])[] = [
  ["memory", async () => memoryBlobStore()],
  [
    "filesystem",
    async () => {
      const directory = memoryDirectory();
      const store = await filesystemBlobStore({ root: directory.path });
      return {
        ...store,
        async close() {
          await store.close();
          directory.remove();
        },
      };
    },
  ],
];
