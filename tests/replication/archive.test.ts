/** Archived images: not replicated, replicated by their restore, restored by a replication. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { selectImagesByDigest } from "../../src/metadata/queries/images.ts";
import { requireRepository } from "../../src/registry/create-repository.ts";
import { setStorageClass } from "../../src/registry/set-storage-class.ts";
import { noise, pushImage, testAccount } from "../support/push-image.ts";
import { ruleTo, startFleet, type TestRegion } from "../support/regions.ts";
import { allComplete, failureShown, pullAll, replicationsOf } from "../support/replicated.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(30_000);

const names = ["us-east-1", "eu-west-1"];
const address = { account: testAccount, repository: "web" };
const actor = `arn:aws:iam::${testAccount}:root`;

const push = ({ context }: TestRegion, tags: readonly string[]) =>
  pushImage(context, {
    repository: "web",
    tags,
    config: new TextEncoder().encode("{}"),
    layers: [noise("a", 1000)],
  });

const set = ({ context }: TestRegion, digest: string, storageClass: "STANDARD" | "ARCHIVE") =>
  setStorageClass(context, { ...address, actor, digest }, storageClass);

async function classOf({ metadata }: TestRegion, digest: string) {
  const { id } = await requireRepository(metadata.read, address);
  return (await selectImagesByDigest(metadata.read, id, [digest]))[0]?.storage_class;
}

test("the restore of an image replicates it under each of its tags", async () => {
  await using fleet = await startFleet(names);
  const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
  if (source === undefined || replica === undefined) throw new Error("two regions are needed");
  const { digest } = await push(source, ["1", "2"]);
  await set(source, digest, "ARCHIVE");
  await source.configure([ruleTo("eu-west-1")]);
  expect(await replicationsOf(source, "web", digest)).toEqual([]);
  await set(source, digest, "STANDARD");
  const rows = await allComplete(source, "web", digest);
  expect(rows.map(({ tag }) => tag)).toEqual(["1", "2"]);
  for (const tag of ["1", "2"]) await pullAll(replica, "web", tag);
});

test("an image that is archived before its turn is not replicated until it is restored", async () => {
  await using fleet = await startFleet(names, { idle: ["us-east-1"] });
  const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
  await source.configure([ruleTo("eu-west-1")]);
  const { digest } = await push(source, ["1"]);
  await set(source, digest, "ARCHIVE");
  source.replication.start();
  const row = await failureShown(source, "web", digest, "image_archived");
  expect(row).toMatchObject({ state: "failed", failure_side: "source" });
  expect(replica.requests).toEqual([]);
  await set(source, digest, "STANDARD");
  await allComplete(source, "web", digest);
});

test("a push of an archived image restores and replicates it", async () => {
  await using fleet = await startFleet(names);
  const source = fleet.region("us-east-1");
  const { digest } = await push(source, ["1"]);
  await set(source, digest, "ARCHIVE");
  await source.configure([ruleTo("eu-west-1")]);
  await push(source, ["1"]);
  await allComplete(source, "web", digest);
});

test("a replica that arrives at an archived copy restores it, and that goes nowhere else", async () => {
  await using fleet = await startFleet(names);
  const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
  await source.configure([ruleTo("eu-west-1")]);
  await replica.configure([ruleTo("us-east-1")]);
  const { digest } = await push(source, ["1"]);
  await allComplete(source, "web", digest);
  await set(replica, digest, "ARCHIVE");
  await push(source, ["2"]);
  await allComplete(source, "web", digest);
  expect(await classOf(replica, digest)).toBe("STANDARD");
  // Nor does its restore by hand: it came by replication.
  await set(replica, digest, "ARCHIVE");
  await set(replica, digest, "STANDARD");
  expect(await replicationsOf(replica, "web", digest)).toEqual([]);
});
