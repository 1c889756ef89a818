/** What an operator sees of replication, and what pause, resume and retry do. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  type DestinationStatus,
  type ReplicationOverview,
  replicationOverview,
} from "../../src/replication/destination-status.ts";
import { pauseDestination, resumeDestination } from "../../src/replication/pauses.ts";
import { replicationFailures, retryReplications } from "../../src/replication/steering.ts";
import { noise, pushImage, testAccount } from "../support/push-image.ts";
import { ruleTo, startFleet, type TestRegion } from "../support/regions.ts";
import { allComplete, pullAll, replicationsOf } from "../support/replicated.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(60_000);

const steer = {
  account: testAccount,
  region: "eu-west-1",
  actor: `arn:aws:iam::${testAccount}:root`,
};

const push = (region: TestRegion, seed: string, tag = "1", bytes = 500) =>
  pushImage(region.context, {
    repository: "web",
    tags: [tag],
    config: new TextEncoder().encode(`{"seed":"${seed}"}`),
    layers: [noise(seed, bytes)],
  });

const overviewOf = ({ metadata, name, context }: TestRegion): Promise<ReplicationOverview> =>
  replicationOverview(metadata.read, name, context.clock.now());

async function statusOf(region: TestRegion): Promise<DestinationStatus> {
  const { destinations } = await overviewOf(region);
  const status = destinations.find((each) => each.region === "eu-west-1");
  if (status === undefined) throw new Error("the destination is not shown");
  return status;
}

describe("a paused destination", () => {
  test("is sent nothing until it is resumed, and its queue and lag show", async () => {
    const fleet = await startFleet(["us-east-1", "eu-west-1"], { idle: ["us-east-1"] });
    await using _ = fleet;
    const source = fleet.region("us-east-1");
    await source.configure([ruleTo("eu-west-1")]);
    await pauseDestination(source.context, steer);
    const image = await push(source, "a");
    const { worker } = source.replication;
    await worker.tick();
    await worker.settled();
    expect(fleet.region("eu-west-1").requests).toEqual([]);
    const status = await statusOf(source);
    expect(status).toMatchObject({ state: { state: "paused", by: steer.actor }, backlogImages: 1 });
    expect((await overviewOf(source)).atRisk.images).toBe(1);
    // It survives a restart of the engine.
    source.restartReplication();
    await source.replication.worker.tick();
    await source.replication.worker.settled();
    expect(fleet.region("eu-west-1").requests).toEqual([]);

    expect(await resumeDestination(source.context, steer)).toBe(true);
    expect(await resumeDestination(source.context, steer)).toBe(false);
    source.replication.start();
    await allComplete(source, "web", image.digest);
    expect((await statusOf(source)).state).toEqual({ state: "up" });
    expect((await overviewOf(source)).atRisk).toEqual({
      images: 0,
      bytes: 0,
      oldestMilliseconds: 0,
    });
  });

  test("interrupts what is under way, which goes on where it was", async () => {
    const fleet = await startFleet(["us-east-1", "eu-west-1"], {
      line: { connectionBytesPerSecond: 2 * 1024 * 1024 },
    });
    await using _ = fleet;
    const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
    await source.configure([ruleTo("eu-west-1")]);
    const size = 6 * 1024 * 1024;
    const image = await push(source, "large", "1", size);
    await waitUntil("the transfer to begin", () => replica.line.bytesUp > size / 4);
    await pauseDestination(source.context, steer);
    const released = await waitUntil("the attempt to be given back", async () => {
      const [row] = await source.metadata.read.all<{ attempts: number }>(
        "select attempts from replications where state = 'pending' and lease_until = 0",
      );
      return row;
    });
    expect(released.attempts).toBe(0);
    await resumeDestination(source.context, steer);
    await allComplete(source, "web", image.digest);
    await pullAll(replica, "web", "1");
    expect(replica.line.bytesUp).toBeLessThan(size * 1.6);
  });
});

describe("an unreachable destination", () => {
  test("is shown as such since its circuit opened, with the cause, until it is back", async () => {
    const fleet = await startFleet(["us-east-1", "eu-west-1"]);
    await using _ = fleet;
    const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
    await source.configure([ruleTo("eu-west-1")]);
    replica.stopServing();
    const image = await push(source, "a");
    const since = await waitUntil("the destination to be shown as unreachable", async () => {
      const { state } = await statusOf(source);
      return state.state === "unreachable" && state;
    });
    expect(since.code).toBe("destination_unreachable");
    expect((await statusOf(source)).failures).toEqual({ destination_unreachable: 1 });
    // Another process looks at the same rows.
    source.restartReplication();
    expect((await statusOf(source)).state.state).toBe("unreachable");
    replica.serveAgain();
    await allComplete(source, "web", image.digest);
    await waitUntil("the destination to be up", async () => {
      return (await statusOf(source)).state.state === "up";
    });
  });
});

describe("failures", () => {
  test("are grouped by cause, and tried again by what is chosen", async () => {
    const fleet = await startFleet(["us-east-1", "eu-west-1"], { idle: ["us-east-1"] });
    await using _ = fleet;
    const source = fleet.region("us-east-1");
    await source.configure([ruleTo("eu-west-1")]);
    const images = [await push(source, "a", "a"), await push(source, "b", "b")];
    for (const [i, code] of ["tag_immutable", "image_invalid"].entries()) {
      await source.metadata.transaction((tx) =>
        tx.all(
          `update replications set state = 'failed', failure_code = $1, failure_text = 'because',
             failure_side = 'destination', failed_at = 1 where digest = $2`,
          [code, images[i]?.digest ?? ""],
        ),
      );
    }
    const groups = await replicationFailures(source.metadata.read);
    expect(groups.map(({ code, images, state }) => ({ code, images, state }))).toEqual([
      { code: "image_invalid", images: 1, state: "failed" },
      { code: "tag_immutable", images: 1, state: "failed" },
    ]);
    const [example] = groups[1]?.examples ?? [];
    expect(example).toMatchObject({ image: `${testAccount}/web:a`, text: "because" });

    const retry = (selection: Parameters<typeof retryReplications>[1]) =>
      retryReplications(source.context, selection);
    expect(await retry({ code: "digest_mismatch" })).toBe(0);
    expect(await retry({ region: "sa-east-1" })).toBe(0);
    expect(await retry({ repository: "other" })).toBe(0);
    expect(await retry({ ids: ["another"] })).toBe(0);
    expect(await retry({ ids: [example?.id ?? ""], region: "eu-west-1" })).toBe(1);
    expect(await retry({ code: "image_invalid", repository: "web" })).toBe(1);
    source.replication.start();
    for (const image of images) await allComplete(source, "web", image.digest);
    expect(await replicationFailures(source.metadata.read)).toEqual([]);
  });
});

test("rates are of the last minute, and an image tells when it was first tried", async () => {
  const fleet = await startFleet(["us-east-1", "eu-west-1"]);
  await using _ = fleet;
  const source = fleet.region("us-east-1");
  await source.configure([ruleTo("eu-west-1")]);
  const image = await push(source, "a", "1", 2_000_000);
  await allComplete(source, "web", image.digest);
  await source.replication.worker.settled();
  await source.replication.noteRates();
  const { rate, etaMilliseconds } = await statusOf(source);
  expect(rate.imagesPerSecond).toBeCloseTo(1 / 60);
  expect(rate.bytesPerSecond).toBeGreaterThanOrEqual(2_000_000 / 60);
  expect(etaMilliseconds).toBe(0);
  const [row] = await replicationsOf(source, "web", image.digest);
  expect(row?.first_attempt_at).toBeGreaterThanOrEqual(row?.created_at ?? Number.NaN);
});
