/** More than one source, rules in circles, and refusals that end or heal. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Digest } from "../../src/image/digest.ts";
import { deleteManifest } from "../../src/registry/delete-manifest.ts";
import { deleteTag } from "../../src/registry/delete-tag.ts";
import { putTagMutability } from "../../src/registry/put-tag-mutability.ts";
import { type Clock, systemClock } from "../../src/runtime/clock.ts";
import { type Descriptor, noise, pushImage, testAccount } from "../support/push-image.ts";
import { ruleTo, startFleet, type TestRegion } from "../support/regions.ts";
import { allComplete, failureShown, pull, pullAll, replicationsOf } from "../support/replicated.ts";
import { waitUntil } from "../support/wait-until.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(30_000);

const megabyte = 1024 * 1024;
const names = ["us-east-1", "eu-west-1", "sa-east-1"] as const;
const actor = `arn:aws:iam::${testAccount}:root`;

const push = (region: TestRegion, seed: string, tag = "1", bytes = 1000): Promise<Descriptor> =>
  pushImage(region.context, {
    repository: "web",
    tags: [tag],
    config: new TextEncoder().encode(`{"seed":"${seed}"}`),
    layers: [noise(seed, bytes)],
  });

describe("what arrived by replication", () => {
  test("is not forwarded", async () => {
    await using fleet = await startFleet(names);
    const [first, second, third] = [...names].map((name) => fleet.region(name));
    if (!first || !second || !third) throw new Error("three regions are needed");
    await first.configure([ruleTo("eu-west-1")]);
    await second.configure([ruleTo("sa-east-1")]);
    const forwarded = await push(first, "from the first");
    await allComplete(first, "web", forwarded.digest);
    expect(await replicationsOf(second, "web", forwarded.digest)).toEqual([]);
    // What a client pushes there goes on, and it proves that the chain works.
    const own = await push(second, "from the second", "2");
    await allComplete(second, "web", own.digest);
    expect(await pull(third, "web", "2")).toBeDefined();
    expect(await pull(third, "web", "1")).toBeUndefined();
  });

  test("does not go in circles when every region replicates to every other", async () => {
    await using fleet = await startFleet(names);
    const pushed: Descriptor[] = [];
    for (const name of names) {
      await fleet.region(name).configure([ruleTo(...names.filter((other) => other !== name))]);
    }
    for (const name of names) pushed.push(await push(fleet.region(name), name, name));
    for (const [i, name] of names.entries()) {
      await allComplete(fleet.region(name), "web", pushed[i]?.digest ?? "");
    }
    for (const name of names) {
      for (const tag of names) await pullAll(fleet.region(name), "web", tag);
      // Two images from the other two, one offer each: small ones need two.
      expect(fleet.region(name).requests.length).toBeLessThanOrEqual(4);
    }
  });
});

describe("two regions that set the same tag", () => {
  test("end with the same image, the newer one, whatever arrives first", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const [left, right] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
    await left.configure([ruleTo("eu-west-1")]);
    await right.configure([ruleTo("us-east-1")]);
    left.line.faults.refuse = true;
    right.line.faults.refuse = true;
    const older = await push(left, "older", "latest");
    await Bun.sleep(2); // The clocks of both regions are the same: let it pass a millisecond.
    const newer = await push(right, "newer", "latest");
    left.line.faults.refuse = false;
    right.line.faults.refuse = false;
    await allComplete(left, "web", older.digest);
    await allComplete(right, "web", newer.digest);
    for (const region of [left, right]) {
      expect((await pull(region, "web", "latest"))?.digest).toBe(newer.digest);
      // The image that lost is kept.
      await pullAll(region, "web", older.digest);
    }
  });

  test("do not bring back a tag that the destination has deleted since", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"], { idle: ["us-east-1"] });
    const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
    await source.configure([ruleTo("eu-west-1")]);
    const late = await push(source, "late");
    await Bun.sleep(2);
    await push(replica, "own");
    const address = { account: testAccount, repository: "web", actor };
    await deleteTag(replica.context, { ...address, tag: "1" });
    source.replication.start();
    await allComplete(source, "web", late.digest);
    expect(await pull(replica, "web", "1")).toBeUndefined();
    await pullAll(replica, "web", late.digest);
  });
});

describe("two regions that send the same blob to a third", () => {
  test("send it once", async () => {
    await using fleet = await startFleet(names, {
      line: { connectionBytesPerSecond: 8 * megabyte },
    });
    const [left, right, third] = [...names].map((name) => fleet.region(name));
    if (!left || !right || !third) throw new Error("three regions are needed");
    const size = 4 * megabyte;
    for (const region of [left, right]) await region.configure([ruleTo("sa-east-1")]);
    const one = await push(left, "shared", "1", size);
    await waitUntil("the first to send", () => third.line.bytesUp > 100_000);
    const two = await push(right, "shared", "2", size);
    await allComplete(left, "web", one.digest);
    await allComplete(right, "web", two.digest);
    await pullAll(third, "web", "1");
    await pullAll(third, "web", "2");
    expect(third.line.bytesUp).toBeLessThan(size * 1.25);
  });
});

describe("a refusal", () => {
  test("that no retry can cure ends the replication with its code: a tag that may not be moved", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
    const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
    await push(replica, "there before");
    const settings = { tagMutability: "IMMUTABLE", exclusionFilters: [] } as const;
    const target = { account: testAccount, repository: "web", actor };
    await putTagMutability(replica.context, target, settings);
    await source.configure([ruleTo("eu-west-1")]);
    const image = await push(source, "a");
    const row = await failureShown(source, "web", image.digest, "tag_immutable");
    expect(row).toMatchObject({ state: "failed", failure_side: "destination", attempts: 1 });
    const [lag] = await source.replication.lags();
    expect(lag).toMatchObject({ backlogImages: 0, failedImages: 1 });
    // As in Amazon ECR the image is there all the same, without its tag.
    await pullAll(replica, "web", image.digest);
  });

  test("by the same region's own accounts needs no network", async () => {
    await using fleet = await startFleet(["us-east-1"]);
    const source = fleet.region("us-east-1");
    await source.configure([
      { destinations: [{ region: "us-east-1", registryId: "999999999999" }] },
    ]);
    const image = await push(source, "a");
    await failureShown(source, "web", image.digest, "destination_forbidden");
    expect(source.requests).toEqual([]);
  });

  test("for an image that was deleted before its turn ends the replication", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"], { idle: ["us-east-1"] });
    const source = fleet.region("us-east-1");
    await source.configure([ruleTo("eu-west-1")]);
    const image = await push(source, "a");
    const digest = image.digest as Digest;
    await deleteManifest(source.context, {
      account: testAccount,
      repository: "web",
      digest,
      actor,
    });
    source.replication.start();
    const row = await failureShown(source, "web", digest, "image_deleted");
    expect(row).toMatchObject({ state: "failed", failure_side: "source" });
    // Pushed again, it is replicated after all.
    await push(source, "a");
    await allComplete(source, "web", digest);
    await pullAll(fleet.region("eu-west-1"), "web", "1");
  });

  test("of a version from the future heals when the clocks have met", async () => {
    const minute = 60_000;
    const source = shiftedClock();
    const replica = shiftedClock();
    await using fleet = await startFleet(["us-east-1", "eu-west-1"], {
      clocks: { "us-east-1": source.clock, "eu-west-1": replica.clock },
      idle: ["us-east-1"],
    });
    const region = fleet.region("us-east-1");
    await region.configure([ruleTo("eu-west-1")]);
    source.ahead = 10 * minute;
    const image = await push(region, "from the future");
    source.ahead = 0;
    // Also what was due in that future is not forgotten.
    region.replication.start();
    const row = await failureShown(region, "web", image.digest, "clock_skew");
    expect(row).toMatchObject({ state: "pending", failure_side: "destination" });
    expect(row.failure_text).toContain("ahead of the clock here");
    source.ahead = 6 * minute;
    replica.ahead = 6 * minute;
    await allComplete(region, "web", image.digest);
    expect((await pull(fleet.region("eu-west-1"), "web", "1"))?.digest).toBe(image.digest);
  });

  test("of a token opens the circuit and heals when the clocks have met", async () => {
    const source = shiftedClock();
    await using fleet = await startFleet(["us-east-1", "eu-west-1"], {
      clocks: { "us-east-1": source.clock },
    });
    const region = fleet.region("us-east-1");
    await region.configure([ruleTo("eu-west-1")]);
    source.ahead = -10 * 60_000;
    const image = await push(region, "from the past");
    const row = await failureShown(region, "web", image.digest, "destination_unauthorized");
    expect(row.state).toBe("pending");
    source.ahead = 0;
    await allComplete(region, "web", image.digest);
  });

  test("to move is shown when the chart has no such region", async () => {
    await using fleet = await startFleet(["us-east-1", "eu-west-1"], { idle: ["us-east-1"] });
    const source = fleet.region("us-east-1");
    await source.configure([ruleTo("ap-south-1", "eu-west-1")]);
    const image = await push(source, "a");
    source.replication.start();
    await failureShown(source, "web", image.digest, "region_unknown");
    await waitUntil("the other destination", async () => {
      const rows = await replicationsOf(source, "web", image.digest);
      return rows.some(({ state }) => state === "complete");
    });
  });
});

function shiftedClock(): { ahead: number; readonly clock: Clock } {
  const shifted = {
    ahead: 0,
    clock: { now: () => systemClock.now() + shifted.ahead, sleep: systemClock.sleep },
  };
  return shifted;
}
