/** The same engine on every database, with blobs on a disk. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { filesystemBlobStore } from "../../src/blobs/filesystem.ts";
import { metadataStores } from "../support/metadata-stores.ts";
import { type Descriptor, noise, pushImage, pushIndex } from "../support/push-image.ts";
import { type Fleet, ruleTo, startFleet, type TestRegion } from "../support/regions.ts";
import { allComplete, failureShown, pullAll } from "../support/replicated.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(30_000);

const megabyte = 1024 * 1024;

for (const [name, openStore, available] of metadataStores) {
  describe.skipIf(!available)(`replication on ${name}`, () => {
    const directory = temporaryDirectory();
    let fleet: Fleet;
    let source: TestRegion;
    let replica: TestRegion;

    beforeAll(async () => {
      fleet = await startFleet(["us-east-1", "eu-west-1"], {
        openMetadata: openStore,
        openBlobs: () => filesystemBlobStore({ root: join(directory.path, randomUUID()) }),
      });
      source = fleet.region("us-east-1");
      replica = fleet.region("eu-west-1");
      await source.configure([ruleTo("eu-west-1")]);
    });
    afterAll(async () => {
      await fleet[Symbol.asyncDispose]();
      directory.remove();
    });

    test("brings an index with its images", async () => {
      const children: Descriptor[] = [];
      for (const platform of ["amd64", "arm64"]) {
        const layers = [noise(platform, 2 * megabyte), new Uint8Array(0)];
        children.push(await pushImage(source.context, { repository: "web", layers }));
      }
      const index = await pushIndex(source.context, "web", ["1"], children);
      await allComplete(source, "web", index.digest);
      expect(await pullAll(replica, "web", "1")).toEqual(await pullAll(source, "web", "1"));
    });

    test("goes on in the middle of a blob", async () => {
      replica.line.cut(); // A connection that is kept alive has carried bytes before.
      replica.line.faults.cutAfterBytes = 3 * megabyte;
      const layers = [noise("large", 5 * megabyte)];
      const image = await pushImage(source.context, { repository: "web", tags: ["2"], layers });
      await allComplete(source, "web", image.digest);
      await pullAll(replica, "web", "2");
      const offsets = replica.requests.map(({ offset }) => offset);
      expect(Math.max(...offsets)).toBeGreaterThan(2 * megabyte);
    });

    test("measures what waits for a destination that is down", async () => {
      replica.line.faults.refuse = true;
      replica.line.cut();
      const layers = [noise("waiting", 1000)];
      const image = await pushImage(source.context, { repository: "web", tags: ["3"], layers });
      await failureShown(source, "web", image.digest, "destination_unreachable");
      const [lag] = await source.replication.lags();
      expect(lag).toMatchObject({ backlogImages: 1, failedImages: 0 });
      expect(lag?.backlogBytes).toBeGreaterThan(1000);
      replica.line.faults.refuse = false;
      await allComplete(source, "web", image.digest);
      expect(await source.replication.lags()).toEqual([]);
    });

    test("divides the work between two nodes: nothing is left, nothing is done twice", async () => {
      source.addNode();
      replica.requests.length = 0;
      const images = await Promise.all(
        Array.from({ length: 30 }, (_, i) => {
          const layers = [noise(`${i}`, 1000)];
          return pushImage(source.context, { repository: "many", tags: [`${i}`], layers });
        }),
      );
      for (const { digest } of images) await allComplete(source, "many", digest);
      // The config and the layer of each ride in its first offer.
      expect(replica.requests.map(({ resource }) => resource)).toEqual(Array(30).fill("offers"));
    });
  });
}
