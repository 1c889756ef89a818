/** Backfills, carried out between whole regions. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { deleteRepository } from "../../src/registry/delete-repository.ts";
import { deleteTag } from "../../src/registry/delete-tag.ts";
import { putTagMutability } from "../../src/registry/put-tag-mutability.ts";
import { setStorageClass } from "../../src/registry/set-storage-class.ts";
import {
  type Backfill,
  backfillResults,
  findBackfill,
  startBackfill,
  stopBackfill,
} from "../../src/replication/backfills.ts";
import { metadataStores } from "../support/metadata-stores.ts";
import { noise, pushImage, pushIndex, testAccount } from "../support/push-image.ts";
import { type FleetOptions, ruleTo, startFleet, type TestRegion } from "../support/regions.ts";
import { allComplete, pull, pullAll, replicationsOf } from "../support/replicated.ts";
import { waitUntil } from "../support/wait-until.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(60_000);

const actor = `arn:aws:iam::${testAccount}:root`;
const destination = { region: "eu-west-1", registryId: testAccount };
const account = testAccount;

const push = (region: TestRegion, repository: string, tag: string, seed = tag) =>
  pushImage(region.context, {
    repository,
    tags: [tag],
    config: new TextEncoder().encode(`{"seed":"${seed}"}`),
    layers: [noise("shared", 100)],
  });

async function regions(options: FleetOptions = {}) {
  const fleet = await startFleet(["us-east-1", "eu-west-1"], options);
  const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
  return { fleet, source, replica };
}

const start = ({ context }: TestRegion) => startBackfill(context, { account, destination });

function reaches(
  source: TestRegion,
  { id }: Backfill,
  ...statuses: readonly Backfill["status"][]
): Promise<Backfill> {
  return waitUntil(
    `a backfill that is ${statuses.join(" or ")}`,
    async () => {
      const backfill = await findBackfill(source.context, account, id);
      return statuses.includes(backfill.status) && backfill;
    },
    { deadlineMilliseconds: 30_000, intervalMilliseconds: 5 },
  );
}

async function resultsOf({ context }: TestRegion, backfill: Backfill) {
  const after = { repository: "", digest: "", tag: "" };
  const rows = await backfillResults(context, backfill, { after, limit: 100_000 });
  return rows.map(({ repository, tag, state, failure_code }) =>
    [repository, tag, state, failure_code].join(" ").trim(),
  );
}

for (const [engine, openMetadata, available] of metadataStores) {
  describe.skipIf(!available)(`a backfill on ${engine}`, () => {
    test("brings every image and tag that the rules take now, with its own version", async () => {
      const { fleet, source, replica } = await regions({ openMetadata });
      await using _fleet = fleet;
      for (const tag of ["1", "2", "3"]) await push(source, "prod-web", tag);
      const child = await pushImage(source.context, { repository: "prod-api", layers: [] });
      const index = await pushIndex(source.context, "prod-api", ["multi"], [child]);
      await push(source, "test-web", "1");
      const archived = await push(source, "prod-old", "1");
      await setStorageClass(
        source.context,
        { account, repository: "prod-old", digest: archived.digest, actor },
        "ARCHIVE",
      );
      const filters = [{ filter: "prod-", filterType: "PREFIX_MATCH" } as const];
      await source.configure([{ ...ruleTo("eu-west-1"), repositoryFilters: filters }]);
      // Newer at the destination: it must not be rolled back.
      const newer = await push(replica, "prod-web", "2", "newer");

      const backfill = await reaches(source, await start(source), "COMPLETE");
      expect(backfill.progress).toEqual({ total: 4, completed: 4, failed: 0, failureCodes: [] });
      expect(backfill.endedAt).toBeGreaterThanOrEqual(backfill.startedAt);
      expect((await resultsOf(source, backfill)).sort()).toEqual([
        "prod-api multi complete",
        "prod-web 1 complete",
        "prod-web 2 complete",
        "prod-web 3 complete",
      ]);
      for (const tag of ["1", "3"]) {
        expect((await pull(replica, "prod-web", tag))?.digest).toBe(
          (await pull(source, "prod-web", tag))?.digest,
        );
      }
      expect((await pull(replica, "prod-web", "2"))?.digest).toBe(newer.digest);
      await pullAll(replica, "prod-api", index.digest);
      expect(await pull(replica, "test-web", "1")).toBeUndefined();
      expect(await pull(replica, "prod-old", "1")).toBeUndefined();
    });

    test("goes through more images than a piece and a window hold, with two nodes", async () => {
      const backfill = { pieceSize: 7, window: 5, pauseMilliseconds: 5, judgedFrom: 100 };
      const { fleet, source, replica } = await regions({ openMetadata, settings: { backfill } });
      await using _fleet = fleet;
      source.addNode();
      const expected: string[] = [];
      for (let i = 0; i < 10; i++) {
        for (let j = 0; j < 9; j++) {
          await push(source, `r${i}`, `${j}`);
          expected.push(`r${i} ${j} complete`);
        }
      }
      await source.configure([ruleTo("eu-west-1")]);
      const ended = await reaches(source, await start(source), "COMPLETE");
      expect(ended.progress).toMatchObject({ total: 90, completed: 90, failed: 0 });
      expect((await resultsOf(source, ended)).sort()).toEqual(expected.sort());
      for (let i = 0; i < 10; i++) await pullAll(replica, `r${i}`, "8");
    });

    test("is stopped: what has not begun is taken back, and leaves no trace", async () => {
      const { fleet, source, replica } = await regions({ openMetadata });
      await using _fleet = fleet;
      await source.configure([ruleTo("eu-west-1")]);
      const there = await push(source, "web", "there");
      await allComplete(source, "web", there.digest);
      await source.configure([]);
      const image = await push(source, "web", "1");
      await source.configure([ruleTo("eu-west-1")]);
      replica.line.faults.refuse = true;
      replica.line.cut();
      const started = await start(source);
      await waitUntil("both to be tried", async () => {
        const rows = await replicationsOf(source, "web", image.digest);
        return rows.some(({ attempts }) => attempts > 0);
      });
      await stopBackfill(source.context, { account, id: started.id });
      const ended = await reaches(source, started, "STOPPED");
      expect(ended.progress).toEqual({ total: 2, completed: 0, failed: 0, failureCodes: [] });
      expect(await resultsOf(source, ended)).toEqual([]);
      expect(await replicationsOf(source, "web", image.digest)).toEqual([]);
      expect(await replicationsOf(source, "web", there.digest)).toMatchObject([
        { state: "complete" },
      ]);
      expect(await stopBackfill(source.context, { account, id: started.id })).toBeUndefined();
      // Another one may begin, and finds both.
      replica.line.faults.refuse = false;
      const second = await reaches(source, await start(source), "COMPLETE");
      expect(second.progress).toMatchObject({ total: 2, completed: 2 });
    });
  });
}

describe("a backfill", () => {
  test("of nothing is complete", async () => {
    const { fleet, source } = await regions();
    await using _fleet = fleet;
    await source.configure([ruleTo("eu-west-1")]);
    const ended = await reaches(source, await start(source), "COMPLETE");
    expect(ended.progress).toEqual({ total: 0, completed: 0, failed: 0, failureCodes: [] });
  });

  test("does not bring what came by replication", async () => {
    const { fleet, source, replica } = await regions();
    await using _fleet = fleet;
    await replica.configure([ruleTo("us-east-1")]);
    const image = await push(replica, "web", "theirs");
    await allComplete(replica, "web", image.digest);
    await push(source, "web", "ours");
    await source.configure([ruleTo("eu-west-1")]);
    const ended = await reaches(source, await start(source), "COMPLETE");
    expect(await resultsOf(source, ended)).toEqual(["web ours complete"]);
  });

  test("goes on after the death of its process, in every state", async () => {
    const backfill = { pieceSize: 2, window: 3, pauseMilliseconds: 1, judgedFrom: 100 };
    const { fleet, source } = await regions({
      settings: { backfill, leaseMilliseconds: 50 },
      idle: ["us-east-1"],
    });
    await using _fleet = fleet;
    for (let i = 0; i < 60; i++) await push(source, `r${i % 6}`, `${i}`);
    await source.configure([ruleTo("eu-west-1")]);
    const started = await start(source);
    const { id } = started;
    // Every engine dies after a single look; what it has begun ends, or its lease does.
    await waitUntil(
      "the backfill to end",
      async () => {
        await source.replication.worker.tick();
        source.restartReplication();
        return (await findBackfill(source.context, account, id)).status === "COMPLETE";
      },
      { deadlineMilliseconds: 30_000, intervalMilliseconds: 1 },
    );
    const ended = await findBackfill(source.context, account, id);
    expect(ended.progress).toMatchObject({ total: 60, completed: 60, failed: 0 });
  });

  test("fails by itself when half fails, judged after a hundred", async () => {
    const { fleet, source, replica } = await regions();
    await using _fleet = fleet;
    const settings = { tagMutability: "IMMUTABLE", exclusionFilters: [] } as const;
    for (let i = 0; i < 150; i++) {
      await push(replica, "web", `${i}`, "other");
      await push(source, "web", `${i}`);
    }
    await putTagMutability(replica.context, { account, repository: "web", actor }, settings);
    await source.configure([ruleTo("eu-west-1")]);
    const ended = await reaches(source, await start(source), "FAILED");
    expect(ended).toMatchObject({
      failureCode: "replications_failed",
      progress: { total: 150, completed: 0, failureCodes: ["tag_immutable"] },
    });
    expect(ended.progress?.failed).toBeGreaterThanOrEqual(100);
    expect((await resultsOf(source, ended))[0]).toEndWith(" failed tag_immutable");
  });

  test("of fewer than a hundred ends as complete, whatever fails", async () => {
    const { fleet, source, replica } = await regions();
    await using _fleet = fleet;
    await push(replica, "web", "1", "other");
    await push(source, "web", "1");
    const settings = { tagMutability: "IMMUTABLE", exclusionFilters: [] } as const;
    await putTagMutability(replica.context, { account, repository: "web", actor }, settings);
    await source.configure([ruleTo("eu-west-1")]);
    const ended = await reaches(source, await start(source), "COMPLETE");
    expect(ended.progress).toMatchObject({ total: 1, completed: 0, failed: 1 });
  });

  test("does not wait for a consent: what is refused has failed", async () => {
    const { fleet, source, replica } = await regions();
    await using _fleet = fleet;
    const other = "444455556666";
    await replica.access.addAccount(other);
    await push(source, "web", "1");
    const there = { region: "eu-west-1", registryId: other };
    await source.configure([{ destinations: [there] }]);
    const started = await startBackfill(source.context, { account, destination: there });
    const ended = await reaches(source, started, "COMPLETE");
    expect(ended.progress).toMatchObject({ failed: 1, failureCodes: ["destination_forbidden"] });
  });

  test("ends although what it had found was deleted meanwhile", async () => {
    const backfill = { pieceSize: 200, window: 2, pauseMilliseconds: 1, judgedFrom: 100 };
    const { fleet, source, replica } = await regions({ settings: { backfill } });
    await using _fleet = fleet;
    for (const tag of ["1", "2", "3", "4"]) await push(source, "web", tag);
    for (const tag of ["1", "2"]) await push(source, "kept", tag);
    await source.configure([ruleTo("eu-west-1")]);
    replica.line.faults.refuse = true;
    const started = await start(source);
    await waitUntil("the backfill to find them", async () => {
      const { progress } = await findBackfill(source.context, account, started.id);
      return progress !== undefined;
    });
    await deleteRepository(source.context, { account, repository: "web", actor, force: true });
    await deleteTag(source.context, { account, repository: "kept", tag: "2", actor });
    replica.line.faults.refuse = false;
    const ended = await reaches(source, started, "COMPLETE");
    expect(ended.progress).toMatchObject({ total: 6, failureCodes: ["image_deleted"] });
    const results = await resultsOf(source, ended);
    expect(results).toContain("kept 1 complete");
    expect(results.filter((result) => result.startsWith("web"))).toHaveLength(4);
    expect(results.every((result) => !result.startsWith("web") || result.includes("failed"))).toBe(
      true,
    );
  });

  test("whose rule is gone before it has looked fails", async () => {
    const { fleet, source } = await regions({ idle: ["us-east-1"] });
    await using _fleet = fleet;
    await source.configure([ruleTo("eu-west-1")]);
    const started = await start(source);
    await source.configure([]);
    source.replication.start();
    const ended = await reaches(source, started, "FAILED");
    expect(ended).toMatchObject({
      failureCode: "destination_not_configured",
      progress: undefined,
    });
  });

  test("delays no push: a fresh image overtakes those that wait", async () => {
    const { fleet, source, replica } = await regions({
      settings: { images: { quick: 4, bulk: 2 } },
    });
    await using _fleet = fleet;
    for (let i = 0; i < 120; i++) await push(source, "old", `${i}`);
    await source.configure([ruleTo("eu-west-1")]);
    replica.line.faults.delayMilliseconds = 50;
    const started = await start(source);
    await reaches(source, started, "IN_PROGRESS");
    const fresh = await push(source, "fresh", "1");
    await allComplete(source, "fresh", fresh.digest);
    const { progress } = await findBackfill(source.context, account, started.id);
    expect(progress?.completed).toBeLessThan(100);
    replica.line.faults.delayMilliseconds = 0;
    await reaches(source, started, "COMPLETE");
  });

  test("and a push of the same image are one replication, which is counted", async () => {
    const { fleet, source, replica } = await regions();
    await using _fleet = fleet;
    await source.configure([ruleTo("eu-west-1")]);
    replica.line.faults.refuse = true;
    const image = await push(source, "web", "1");
    const started = await start(source);
    await reaches(source, started, "IN_PROGRESS");
    await push(source, "web", "2");
    replica.line.faults.refuse = false;
    const ended = await reaches(source, started, "COMPLETE");
    expect(ended.progress?.completed).toBe(ended.progress?.total ?? -1);
    expect(await replicationsOf(source, "web", image.digest)).toMatchObject([
      { state: "complete", tag: "1" },
    ]);
  });
});
