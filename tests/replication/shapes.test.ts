/**
 * Every shape of image that has broken a registry, brought to another account of another region by a
 * backfill: in the order of digests, so that referrers come before their subjects and children after
 * their indexes.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { listReferrers } from "../../src/registry/list-referrers.ts";
import { pushManifest } from "../../src/registry/push-manifest.ts";
import { findBackfill, startBackfill } from "../../src/replication/backfills.ts";
import { pushBlob, testAccount } from "../support/push-image.ts";
import { startFleet } from "../support/regions.ts";
import { pull, pullAll } from "../support/replicated.ts";
import { syntheticImages } from "../support/synthetic-images.ts";
import { waitUntil } from "../support/wait-until.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(60_000);

const other = "444455556666";
const actor = `arn:aws:iam::${testAccount}:root`;

test("a backfill brings images of every shape, byte for byte", async () => {
  await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
  const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
  await replica.access.addAccount(other);
  await replica.access.setRegistryPolicy(other, {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { AWS: actor },
      Action: ["ecr:ReplicateImage", "ecr:CreateRepository"],
      Resource: "*",
    },
  });
  const images = syntheticImages();
  for (const { name: repository, blobs, manifests } of images) {
    for (const [digest, bytes] of blobs) {
      const algorithm = digest.startsWith("sha512") ? "sha512" : "sha256";
      await pushBlob(source.context, repository, bytes, algorithm);
    }
    for (const { bytes, mediaType: contentType, digest, tags } of manifests) {
      const pushed = { account: testAccount, repository, actor, bytes, contentType, digest, tags };
      await pushManifest(source.context, pushed);
    }
  }
  const destination = { region: "eu-west-1", registryId: other };
  await source.configure([{ destinations: [destination] }]);
  const { id } = await startBackfill(source.context, { account: testAccount, destination });
  const { progress } = await waitUntil(
    "the backfill to end",
    async () => {
      const backfill = await findBackfill(source.context, testAccount, id);
      return backfill.endedAt !== undefined && backfill;
    },
    { deadlineMilliseconds: 50_000, intervalMilliseconds: 10 },
  );
  expect(progress).toMatchObject({ completed: progress?.total ?? -1, failed: 0 });
  for (const { name, manifests } of images) {
    for (const { digest, tags, bytes, mediaType } of manifests) {
      for (const reference of [digest, ...tags]) {
        const arrived = await pull(replica, name, reference, other);
        expect([name, arrived?.digest, arrived?.mediaType]).toEqual([name, digest, mediaType]);
        expect(Buffer.compare(arrived?.bytes ?? new Uint8Array(), bytes)).toBe(0);
      }
      const referrersIn = async (region: typeof source, account: string) => {
        const address = { account, repository: name };
        const page = await listReferrers(region.context, address, digest, { after: "" });
        return page.referrers.map((referrer) => referrer.digest).sort();
      };
      expect(await referrersIn(replica, other)).toEqual(await referrersIn(source, testAccount));
    }
    await pullAll(replica, name, manifests.at(-1)?.digest ?? "", other);
  }
});
