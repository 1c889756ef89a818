/** Everything on the way between two regions that can go wrong, and that heals without a hand. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Digest } from "../../src/image/digest.ts";
import type { Fetch } from "../../src/replication/http-exchange.ts";
import { oneWay, partOffsets, stagedBytes } from "../support/one-way.ts";
import { noise, pushImage } from "../support/push-image.ts";
import type { TestRegion } from "../support/regions.ts";
import { allComplete, failureShown, pull, pullAll, replicationsOf } from "../support/replicated.ts";
import { waitUntil } from "../support/wait-until.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(30_000);

const megabyte = 1024 * 1024;

describe("a destination that is down", () => {
  test("gets everything when it is back, and shows the backlog meanwhile", async () => {
    const { fleet, source, replica } = await oneWay();
    await using _ = fleet;
    replica.stopServing();
    const images = [];
    for (let i = 0; i < 40; i++) {
      const tags = [`v${i}`];
      const layers = [noise(`layer ${i}`, 1000)];
      images.push(await pushImage(source.context, { repository: "web", tags, layers }));
    }
    await failureShown(source, "web", "v0", "destination_unreachable");
    const [lag] = await source.replication.lags();
    expect(lag).toMatchObject({ region: "eu-west-1", backlogImages: 40, failedImages: 0 });
    expect(lag?.lagMilliseconds).toBeGreaterThan(0);
    expect(lag?.backlogBytes).toBeGreaterThanOrEqual(40 * 1000);
    replica.serveAgain();
    for (const { digest } of images) await allComplete(source, "web", digest);
    for (let i = 0; i < 40; i++) await pullAll(replica, "web", `v${i}`);
    expect(
      await source.replication.lags([{ region: "eu-west-1", registryId: "111122223333" }]),
    ).toEqual([
      {
        region: "eu-west-1",
        registryId: "111122223333",
        lagMilliseconds: 0,
        backlogImages: 0,
        backlogBytes: 0,
        failedImages: 0,
      },
    ]);
  });

  test("is asked by one probe at a time once its circuit is open", async () => {
    const { fleet, source, replica } = await oneWay();
    await using _ = fleet;
    replica.line.faults.refuse = true;
    for (let i = 0; i < 20; i++) {
      await pushImage(source.context, {
        repository: "web",
        tags: [`v${i}`],
        layers: [noise(`${i}`, 9)],
      });
    }
    await waitUntil("probes", () => replica.line.connections > 25);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => replicationsOf(source, "web", `v${i}`)),
    );
    const attempts = all.flat().map((row) => row.attempts);
    // Without a circuit all twenty would be tried again and again at the same pace.
    expect(Math.min(...attempts)).toBeLessThan(Math.max(...attempts));
    replica.line.faults.refuse = false;
    for (let i = 0; i < 20; i++) await allComplete(source, "web", `v${i}`);
  });
});

describe("a connection that is cut in the middle of a blob", () => {
  test("goes on at the byte where it was", async () => {
    const { fleet, source, replica } = await oneWay({
      // Slow enough that the destination has read what came before the cut: what only its kernel
      // holds is lost with the connection, and would have to be sent again.
      line: { connectionBytesPerSecond: 6 * megabyte },
    });
    await using _ = fleet;
    const size = 6 * megabyte;
    Object.assign(replica.line.faults, { cutAfterBytes: 1.5 * megabyte, cuts: 3 });
    const layers = [noise("large", size)];
    const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    await allComplete(source, "web", image.digest);
    await pullAll(replica, "web", "1");
    const offsets = partOffsets(replica);
    expect(replica.line.faults.cuts).toBe(0);
    expect(offsets).toHaveLength(4);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(offsets.at(-1)).toBeGreaterThan(2 * megabyte);
    const codes = replica.requests.flatMap(({ errorCode }) => errorCode ?? []);
    expect([...new Set(codes)]).toEqual(["connection_closed"]);
    // All that came through the line, requests and second attempts included: at most one of the
    // three cuts cost what had been sent over its connection.
    expect(replica.line.bytesUp).toBeLessThan(size + 2 * megabyte);
  });

  test("stands still: the source notices and goes on when the line is back", async () => {
    // The sender's buffers may take the whole part: then it is the answer that does not come.
    const { fleet, source, replica } = await oneWay({
      line: { connectionBytesPerSecond: 4 * megabyte },
      settings: { answerMilliseconds: 500, slowestBytesPerSecond: 100 * megabyte },
    });
    await using _ = fleet;
    const layers = [noise("large", 3 * megabyte)];
    const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    await waitUntil("some bytes", async () => (await stagedBytes(replica)) > 500_000);
    replica.line.faults.silent = true;
    await failureShown(source, "web", "1", "destination_stalled");
    replica.line.faults.silent = false;
    await allComplete(source, "web", image.digest);
    await pullAll(replica, "web", "1");
    expect(partOffsets(replica).at(-1)).toBeGreaterThan(0);
  });
});

describe("bytes that change on the way", () => {
  for (const [what, position] of [
    ["a blob", 1_500_000],
    ["an offer", 700],
  ] as const) {
    test(`are refused and sent again: ${what}`, async () => {
      const { fleet, source, replica } = await oneWay();
      await using _ = fleet;
      replica.line.faults.corruptByteAt = position;
      const layers = [noise("large", 3 * megabyte)];
      const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
      await allComplete(source, "web", image.digest);
      await pullAll(replica, "web", "1");
      expect(replica.line.faults.corruptByteAt).toBe(Number.POSITIVE_INFINITY);
      expect(replica.requests.some(({ status }) => status >= 400)).toBe(true);
    });
  }

  test("at the source's own disk are told from a bad line, and never served", async () => {
    const { fleet, source, replica } = await oneWay({ idle: ["us-east-1"] });
    await using _ = fleet;
    const layers = [noise("large", 2 * megabyte)];
    await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    const [digest] = (await pullAll(source, "web", "1")).slice(-1);
    await overwrite(source, digest as Digest, noise("other", 2 * megabyte));
    source.replication.start();
    const shown = await failureShown(source, "web", "1", "blob_unavailable");
    expect(shown.failure_side).toBe("source");
    expect(await pull(replica, "web", "1")).toBeUndefined();
    await overwrite(source, digest as Digest, noise("large", 2 * megabyte));
    await allComplete(source, "web", "1");
  });
});

async function overwrite(region: TestRegion, digest: Digest, bytes: Uint8Array): Promise<void> {
  const stage = await region.blobs.stage("overwrite");
  await stage.append(
    (async function* () {
      yield bytes;
    })(),
  );
  await stage.publish(digest);
  await stage.discard();
}

describe("a large image", () => {
  test("does not hold up small ones", async () => {
    const { fleet, source, replica } = await oneWay({
      line: { connectionBytesPerSecond: megabyte },
      settings: { quickBytesLimit: megabyte, images: { quick: 4, bulk: 1 } },
    });
    await using _ = fleet;
    const large = [];
    // More of them than there are places in any lane.
    for (let i = 0; i < 6; i++) {
      const image = { repository: "large", tags: [`${i}`], layers: [noise(`${i}`, 3 * megabyte)] };
      large.push(await pushImage(source.context, image));
    }
    await waitUntil("a transfer", () => replica.line.bytesUp > 100_000);
    const small = { repository: "small", tags: ["1"], layers: [noise("small", 1000)] };
    await allComplete(source, "small", (await pushImage(source.context, small)).digest);
    const states = await Promise.all(
      large.map(({ digest }) => replicationsOf(source, "large", digest)),
    );
    expect(states.flat().every(({ state }) => state === "pending")).toBe(true);
    replica.line.faults.connectionBytesPerSecond = Number.POSITIVE_INFINITY;
    for (const { digest } of large) await allComplete(source, "large", digest);
  });

  test("becomes visible at the destination when all of it is there, and not before", async () => {
    const { fleet, source, replica } = await oneWay({
      line: { connectionBytesPerSecond: 4 * megabyte },
    });
    await using _ = fleet;
    const layers = [noise("a", 2 * megabyte), noise("b", 3 * megabyte), noise("c", 50)];
    const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    let polls = 0;
    await waitUntil(
      "the tag",
      async () => {
        polls++;
        const byTag = await pull(replica, "web", "1");
        const byDigest = await pull(replica, "web", image.digest);
        if (byTag !== undefined || byDigest !== undefined)
          await pullAll(replica, "web", image.digest);
        return byTag !== undefined;
      },
      { intervalMilliseconds: 1 },
    );
    expect(polls).toBeGreaterThan(20);
    await allComplete(source, "web", image.digest);
  });
});

describe("a destination that loses what it had", () => {
  test("is sent it again before the image is applied", async () => {
    const layers = [noise("a", 2 * megabyte), noise("b", 3 * megabyte)];
    let takeAway: (() => Promise<void>) | undefined;
    const collecting: Fetch = async (url, init) => {
      const response = await fetch(url, init);
      if (url.includes("/blobs/")) {
        await takeAway?.();
        takeAway = undefined;
      }
      return response;
    };
    const { fleet, source, replica } = await oneWay({ fetch: collecting });
    await using _ = fleet;
    takeAway = async () => {
      for await (const { digest } of replica.blobs.list()) {
        await (await replica.blobs.withdraw(digest, crypto.randomUUID()))?.destroy();
      }
    };
    const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    await allComplete(source, "web", image.digest);
    await pullAll(replica, "web", "1");
    // Also long after the image has arrived: the scrubber has taken a damaged blob away.
    for await (const { digest } of replica.blobs.list()) {
      await (await replica.blobs.withdraw(digest, crypto.randomUUID()))?.quarantine();
    }
    const again = await pushImage(source.context, { repository: "web", tags: ["2"], layers });
    await allComplete(source, "web", again.digest);
    await pullAll(replica, "web", "2");
  });
});
