/** What the queries on backfills promise. */
import { describe, expect, test } from "bun:test";
import * as itemQueries from "../../src/metadata/queries/backfill-items.ts";
import * as replicationQueries from "../../src/metadata/queries/backfill-replications.ts";
import * as backfillQueries from "../../src/metadata/queries/backfills.ts";
import {
  claimReplications,
  completeReplication,
  upsertReplications,
} from "../../src/metadata/queries/replications.ts";
import { upsertTag } from "../../src/metadata/queries/tags.ts";
import { digest, type QuerySuite } from "./query-suite.ts";

export function backfillQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...backfillQueries, ...itemQueries, ...replicationQueries });
  const { transaction } = suite;
  const read = () => suite.store.read;
  let backfills = 0;

  async function begin(account: string) {
    const id = `backfill-${++backfills}`;
    const region = `region-of-${id}`;
    await transaction((tx) =>
      q.insertBackfill(tx, {
        ...{ id, account, destinationRegion: region, destinationAccount: account },
        startedAt: 5,
      }),
    );
    return { id, region, account };
  }

  describe("backfills", () => {
    test("are found by account, and those under way by anybody", async () => {
      const account = "000000000081";
      const [first, second] = [await begin(account), await begin(account)];
      const found = await q.selectBackfill(read(), account, first.id);
      expect(found).toMatchObject({ status: "PREPARING", prepared: 0, total: 0, started_at: 5 });
      expect(await q.selectBackfill(read(), "000000000000", first.id)).toBeUndefined();
      const page = await q.selectBackfills(read(), account, { after: first.id, limit: 5 });
      expect(page.map(({ id }) => id)).toEqual([second.id]);
      expect(await q.selectBackfillsOfAccountUnderWay(read(), account)).toHaveLength(2);
      expect(await q.selectBackfillsUnderWay(read(), 100)).toContain(first.id);
      const held = await transaction(async (tx) => {
        const row = await q.selectBackfillForUpdate(tx, account, first.id);
        if (row === undefined) throw new Error("it is not there");
        const ended = {
          status: "COMPLETE",
          ended_at: 9,
          total: 3,
          completed: 2,
          failed: 1,
        } as const;
        await q.updateBackfill(tx, { ...row, ...ended, prepared: 1, failure_codes: "a,b" });
        return q.holdBackfill(tx, second.id);
      });
      expect(held?.id).toBe(second.id);
      expect(await q.selectBackfill(read(), account, first.id)).toMatchObject({
        ...{ status: "COMPLETE", ended_at: 9, total: 3, completed: 2, failed: 1, prepared: 1 },
        failure_codes: "a,b",
      });
      expect(await transaction((tx) => q.holdBackfill(tx, first.id))).toBeUndefined();
      expect(await q.selectBackfillsUnderWay(read(), 100)).not.toContain(first.id);
    });
  });

  describe("the candidates of a backfill", () => {
    test("are tags and untagged images, in pages; no copies, archived ones or parts of an index", async () => {
      const { id } = await suite.repository();
      const reference = { role: "manifest", mediaType: "m", size: 1, required: true } as const;
      await suite.manifest(id, "1");
      await suite.manifest(id, "2");
      await suite.manifest(id, "3");
      await suite.manifest(id, "4", {
        artifactType: "application/x",
        references: [{ ...reference, digest: digest("3") }],
      });
      await suite.manifest(id, "5", { replicated: true });
      await suite.manifest(id, "6");
      await transaction((tx) =>
        tx.all("update manifests set storage_class = 'ARCHIVE' where digest = $1", [digest("6")]),
      );
      for (const name of ["b", "a"]) {
        const tag = { name, digest: digest("1"), clock: "7", origin: "eu-west-1", now: 1 };
        await transaction((tx) => upsertTag(tx, id, tag));
      }
      const found: string[] = [];
      for (let after = { digest: "", tag: "" }; ; ) {
        const [row] = await q.selectBackfillCandidates(read(), id, { ...after, limit: 1 });
        if (row === undefined) break;
        after = row;
        found.push(`${row.digest.slice(-1)} ${row.tag} ${row.clock} ${row.origin}`);
      }
      expect(found).toEqual([
        "1 a 7 eu-west-1",
        "1 b 7 eu-west-1",
        "2   us-east-1",
        "4   us-east-1",
      ]);
    });
  });

  describe("the items of a backfill", () => {
    test("are queued, settled once, and paged as results", async () => {
      const { id } = await begin("000000000082");
      const { id: repositoryId, name: repository } = await suite.repository();
      await suite.manifest(repositoryId, "1");
      const item = (name: string, tag: string) => ({
        ...{ repositoryId, repository, digest: digest(name), tag },
        ...{ clock: "1", origin: "us-east-1" },
      });
      const [here, gone, moved] = [item("1", ""), item("2", ""), item("1", "t")];
      const insert = () => transaction((tx) => q.insertBackfillItems(tx, id, [here, gone, moved]));
      expect(await insert()).toBe(3);
      expect(await insert()).toBe(0);
      const waiting = await transaction((tx) => q.selectWaitingItems(tx, id, 10));
      expect(waiting.map(({ present }) => present).sort()).toEqual([0, 0, 1]);
      await transaction((tx) => q.updateItemQueued(tx, id, here, "none"));
      await transaction((tx) => q.updateItemQueued(tx, id, moved, "none"));
      expect(await transaction((tx) => q.selectWaitingItems(tx, id, 10))).toHaveLength(1);
      const settle = (state: "complete" | "failed", failureCode: string | null) =>
        transaction((tx) => q.updateItemSettled(tx, id, here, { state, failureCode }));
      expect(await settle("complete", null)).toBe(true);
      expect(await settle("failed", "late")).toBe(false);
      expect(await transaction((tx) => q.failQueuedItems(tx, id, "gone"))).toBe(1);
      const after = { repository: "", digest: "", tag: "" };
      const results = await q.selectBackfillResults(read(), id, { after, limit: 10 });
      expect(results.map(({ tag, state, failure_code }) => [tag, state, failure_code])).toEqual([
        ["", "complete", null],
        ["t", "failed", "gone"],
      ]);
      const page = { state: "failed", after, limit: 10 } as const;
      expect(await q.selectBackfillResults(read(), id, page)).toHaveLength(1);
      expect(
        await q.selectBackfillResults(read(), id, { after: { ...here }, limit: 10 }),
      ).toHaveLength(1);
    });
  });

  describe("the replications of a backfill", () => {
    test("are new, again, or those that a push has made; and become what they were", async () => {
      const { id, region, account } = await begin("000000000083");
      const { id: repositoryId, name: repository } = await suite.repository();
      const rowOf = (name: string) => ({
        ...{ id: `${id}-${name}`, repositoryId, account, repository, digest: digest(name) },
        ...{ tag: "t", destinationRegion: region, destinationAccount: account },
        ...{ clock: "2", origin: "us-east-1", bytes: 10, now: 100 },
      });
      const [fresh, ended, pushed] = [rowOf("1"), rowOf("2"), rowOf("3")];
      await transaction((tx) => upsertReplications(tx, [{ ...ended, clock: "3" }]));
      const claim = { region, bulk: false, now: 100, leaseUntil: 200, limit: 1 };
      const [claimed] = await transaction((tx) =>
        claimReplications(tx, { ...claim, backlog: false }),
      );
      if (claimed === undefined) throw new Error("nothing was due");
      await transaction((tx) => completeReplication(tx, claimed, { now: 101, bytesSent: 1 }));
      await transaction((tx) => upsertReplications(tx, [pushed]));
      const rows = [fresh, ended, pushed];
      await transaction((tx) => q.insertBackfillItems(tx, id, rows));
      const queue = () =>
        transaction(async (tx) => {
          const before: string[] = [];
          for (const row of rows) {
            const previous = await q.queueForBackfill(tx, id, row);
            await q.updateItemQueued(tx, id, row, previous);
            before.push(previous);
          }
          return before;
        });
      expect(await queue()).toEqual(["none", "complete", "pending"]);
      expect(await q.countOfBackfill(read(), id)).toBe(3);
      // The newer version stays.
      const versions = await read().all<{ clock: string }>(
        "select clock from replications where id = $1",
        [ended.id],
      );
      expect(versions).toEqual([{ clock: "3" }]);
      const ofPushes = await transaction((tx) =>
        claimReplications(tx, { ...claim, limit: 9, backlog: false }),
      );
      expect(ofPushes.map((row) => row.id)).toEqual([pushed.id]);
      const settled = () => transaction((tx) => q.selectSettledOfBackfill(tx, id, ["refused"]));
      expect(await settled()).toEqual([]);
      const idle = await transaction((tx) => q.selectIdleOfBackfill(tx, id, 150));
      expect(idle.map(({ id, previous }) => [id, previous]).sort()).toEqual([
        [fresh.id, "none"],
        [ended.id, "complete"],
      ]);
      for (const row of idle) await transaction((tx) => q.retractFromBackfill(tx, row));
      expect(await q.countOfBackfill(read(), id)).toBe(1);
      const states = await read().all<{ id: string; state: string; completed_at: number }>(
        "select id, state, completed_at from replications where destination_region = $1 order by id",
        [region],
      );
      expect(states.map((row) => [row.id, row.state, row.completed_at])).toEqual([
        [ended.id, "complete", 101],
        [pushed.id, "pending", null as never],
      ]);
      const [running] = ofPushes;
      if (running === undefined) throw new Error("nothing was due");
      await transaction((tx) => completeReplication(tx, running, { now: 102, bytesSent: 1 }));
      expect(await settled()).toMatchObject([{ id: pushed.id, state: "complete" }]);
      await transaction((tx) => q.detachFromBackfill(tx, pushed.id));
      expect(await settled()).toEqual([]);
      await queue();
      await transaction((tx) => q.detachAllFromBackfill(tx, id));
      expect(await q.countOfBackfill(read(), id)).toBe(0);
    });
  });
}
