/** The blob contract on every driver. */
import { describe } from "bun:test";
import { filesystemBlobStore } from "../../src/blobs/filesystem.ts";
import { memoryBlobStore } from "../../src/blobs/memory.ts";
import { memoryDirectory } from "../support/temporary-directory.ts";
import { blobStoreContract } from "./blob-store.ts";

describe("blob store: memory", () => {
  blobStoreContract(async () => {
    // It lives as long as the process: a restart of the driver finds the same.
    const store = memoryBlobStore();
    return { open: async () => store, remove: async () => {} };
  });
});

describe("blob store: filesystem", () => {
  blobStoreContract(async () => {
    const directory = memoryDirectory();
    return {
      open: () => filesystemBlobStore({ root: directory.path }),
      remove: async () => directory.remove(),
    };
  });
});
