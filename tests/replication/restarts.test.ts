/** Answers that are lost, late or double, attempts that are overtaken, and a source that dies. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { selectChanges } from "../../src/metadata/queries/changes.ts";
import type { Fetch } from "../../src/replication/http-exchange.ts";
import { oneWay, partOffsets, stagedBytes } from "../support/one-way.ts";
import { noise, pushImage } from "../support/push-image.ts";
import type { TestRegion } from "../support/regions.ts";
import { allComplete, pull, pullAll, replicationsOf } from "../support/replicated.ts";
import { waitUntil } from "../support/wait-until.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(30_000);

const megabyte = 1024 * 1024;

/** Pushes of images that the region's journal knows, each with its tag. */
async function journal(region: TestRegion): Promise<string[]> {
  const changes = await selectChanges(region.metadata.read, 0, 1000);
  return changes
    .filter(({ kind }) => kind === "image_pushed")
    .map(({ digest, tag }) => `${digest} ${tag}`);
}

describe("messages", () => {
  const layers = [noise("a", 2 * megabyte), noise("b", 100)];

  test("that are answered into the void are simply repeated", async () => {
    let lost = 0;
    const losing: Fetch = async (url, init) => {
      const response = await fetch(url, init);
      // The second offer is the commit: it is applied, and nobody hears of it.
      if (url.endsWith("/offers") && ++lost % 2 === 0 && lost < 6) {
        await response.arrayBuffer();
        throw Object.assign(new Error("reset"), { code: "ECONNRESET" });
      }
      return response;
    };
    const { fleet, source, replica } = await oneWay({ fetch: losing });
    await using _ = fleet;
    const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    await allComplete(source, "web", image.digest);
    await pullAll(replica, "web", "1");
    expect(await journal(replica)).toEqual([`${image.digest} 1`]);
  });

  test("that arrive twice change nothing the second time", async () => {
    const twice: Fetch = async (url, init) => {
      if (!url.endsWith("/offers")) return fetch(url, init);
      const [first, second] = await Promise.all([fetch(url, init), fetch(url, init)]);
      await first.arrayBuffer();
      return second;
    };
    const { fleet, source, replica } = await oneWay({ fetch: twice });
    await using _ = fleet;
    const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    await allComplete(source, "web", image.digest);
    await pullAll(replica, "web", "1");
    expect(await journal(replica)).toEqual([`${image.digest} 1`]);
  });

  test("that come late do not roll a tag back", async () => {
    const release = Promise.withResolvers<void>();
    let count = 0;
    const holding: Fetch = async (url, init) => {
      if (++count === 1) await release.promise;
      return fetch(url, init);
    };
    const { fleet, source, replica } = await oneWay({ fetch: holding });
    await using _ = fleet;
    const old = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    await waitUntil("the first offer", () => count === 1);
    const config = new TextEncoder().encode("{}");
    const next = await pushImage(source.context, {
      repository: "web",
      tags: ["1"],
      config,
      layers,
    });
    await allComplete(source, "web", next.digest);
    release.resolve();
    await allComplete(source, "web", old.digest);
    expect((await pull(replica, "web", "1"))?.digest).toBe(next.digest);
    await pullAll(replica, "web", old.digest);
  });
});

describe("an attempt that was overtaken by a newer push", () => {
  test("does not end the replication of that push", async () => {
    const gates = new Map([
      [1, Promise.withResolvers<void>()],
      [3, Promise.withResolvers<void>()],
    ]);
    let count = 0;
    const holding: Fetch = async (url, init) => {
      await gates.get(++count)?.promise;
      return fetch(url, init);
    };
    const { fleet, source, replica } = await oneWay({ fetch: holding });
    await using _ = fleet;
    const image = { repository: "web", tags: ["1"], layers: [noise("one", 100)] };
    const one = await pushImage(source.context, image);
    await waitUntil("the first attempt", () => count === 1);
    const two = await pushImage(source.context, { ...image, layers: [noise("two", 100)] });
    await allComplete(source, "web", two.digest);
    // The tag goes back: the same image and tag as in the first attempt, with a newer version.
    await pushImage(source.context, image);
    await waitUntil("the third attempt", () => count === 3);
    gates.get(1)?.resolve();
    await waitUntil("the first attempt's answer", () => {
      return replica.requests.filter(({ status }) => status === 200).length === 2;
    });
    await Bun.sleep(50); // Long enough for a wrong outcome; a right one changes nothing.
    expect(await replicationsOf(source, "web", one.digest)).toMatchObject([{ state: "pending" }]);
    expect((await pull(replica, "web", "1"))?.digest).toBe(two.digest);
    gates.get(3)?.resolve();
    await allComplete(source, "web", one.digest);
    expect((await pull(replica, "web", "1"))?.digest).toBe(one.digest);
  });
});

describe("a push during the attempt at an older one", () => {
  test("is replicated too, also when nobody has claimed it by the end of that attempt", async () => {
    const gate = Promise.withResolvers<void>();
    let count = 0;
    const holding: Fetch = async (url, init) => {
      if (++count === 1) await gate.promise;
      return fetch(url, init);
    };
    const { fleet, source, replica } = await oneWay({
      fetch: holding,
      settings: { images: { quick: 1, bulk: 1 } },
    });
    await using _ = fleet;
    const image = { repository: "web", tags: ["1"], layers: [noise("one", 100)] };
    const one = await pushImage(source.context, image);
    await waitUntil("the first attempt", () => count === 1);
    const two = await pushImage(source.context, { ...image, layers: [noise("two", 100)] });
    await pushImage(source.context, image);
    gate.resolve();
    await allComplete(source, "web", two.digest);
    await allComplete(source, "web", one.digest);
    expect((await pull(replica, "web", "1"))?.digest).toBe(one.digest);
  });
});

describe("a source that dies", () => {
  const layers = [noise("a", 2 * megabyte), noise("b", 2 * megabyte), noise("c", 100)];

  for (const step of [1, 2, 3, 4]) {
    test(`at request ${step} goes on after its restart, and its ghost changes nothing`, async () => {
      const release = Promise.withResolvers<void>();
      let count = 0;
      const dying: Fetch = async (url, init) => {
        if (++count === step) await release.promise;
        return fetch(url, init);
      };
      const { fleet, source, replica } = await oneWay({ fetch: dying });
      await using _ = fleet;
      const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
      await waitUntil(`request ${step}`, () => count >= step);
      source.restartReplication();
      const [row] = await allComplete(source, "web", image.digest);
      await pullAll(replica, "web", "1");
      release.resolve();
      await waitUntil("the ghost's requests", () => count >= 5);
      expect(await allComplete(source, "web", image.digest)).toMatchObject([
        { completed_at: row?.completed_at },
      ]);
      expect(await journal(replica)).toEqual([`${image.digest} 1`]);
    });
  }

  test("leaves a lease behind that runs out by itself", async () => {
    let hang = true;
    const hanging: Fetch = (url, init) =>
      hang
        ? new Promise((_, reject) =>
            init.signal?.addEventListener("abort", () => reject(init.signal?.reason)),
          )
        : fetch(url, init);
    const { fleet, source } = await oneWay({
      fetch: hanging,
      settings: { leaseMilliseconds: 200 },
      idle: ["us-east-1"],
    });
    await using _ = fleet;
    const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    // A row as a killed process leaves it: claimed, and nobody renews the lease.
    await source.metadata.transaction((tx) =>
      tx.all("update replications set lease = 5, lease_until = $1, due_at = $1, attempts = 1", [
        source.context.clock.now() + 200,
      ]),
    );
    hang = false;
    source.replication.start();
    await allComplete(source, "web", image.digest);
  });

  test("gives back what it was doing when it is stopped", async () => {
    const { fleet, source, replica } = await oneWay({
      line: { connectionBytesPerSecond: 16 * megabyte },
    });
    await using _ = fleet;
    // More than the buffers on the way can hold: they still arrive after the source has stopped.
    const large = [noise("large", 32 * megabyte)];
    const image = await pushImage(source.context, {
      repository: "web",
      tags: ["1"],
      layers: large,
    });
    await waitUntil("some bytes", async () => (await stagedBytes(replica)) > 500_000);
    await source.replication.stop();
    const [stopped] = await replicationsOf(source, "web", image.digest);
    expect(stopped).toMatchObject({ state: "pending", attempts: 0, failure_code: null });
    expect(stopped?.bytes_sent).toBeGreaterThan(0);
    replica.line.faults.connectionBytesPerSecond = Number.POSITIVE_INFINITY;
    source.restartReplication();
    await allComplete(source, "web", image.digest);
    expect(Math.max(...partOffsets(replica))).toBeGreaterThan(0);
  });
});
