/** What the queries promise by which an operator sees and steers replication. */
import { describe, expect, test } from "bun:test";
import * as destinations from "../../src/metadata/queries/replication-destinations.ts";
import * as losses from "../../src/metadata/queries/replication-losses.ts";
import * as steering from "../../src/metadata/queries/replication-steering.ts";
import { upsertReplications } from "../../src/metadata/queries/replications.ts";
import { account, digest, type QuerySuite } from "./query-suite.ts";

export function steeringQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...destinations, ...steering, ...losses });
  const { transaction, repository } = suite;
  const read = () => suite.store.read;
  const stateOf = async (region: string) =>
    (await q.selectDestinationStates(read())).find((row) => row.region === region);

  describe("what is known of a destination", () => {
    test("is since when it is paused, and by whom first", async () => {
      const region = "steered-a";
      expect(await stateOf(region)).toBeUndefined();
      expect(await transaction((tx) => q.resumeDestinationRow(tx, region))).toBe(false);
      await transaction((tx) => q.pauseDestinationRow(tx, { region, at: 5, by: "one" }));
      await transaction((tx) => q.pauseDestinationRow(tx, { region, at: 9, by: "two" }));
      expect(await stateOf(region)).toMatchObject({ paused_at: 5, paused_by: "one" });
      expect(await transaction((tx) => q.resumeDestinationRow(tx, region))).toBe(true);
      expect(await stateOf(region)).toMatchObject({ paused_at: null, paused_by: null });
    });

    test("is since when it is unreachable, with the newest cause", async () => {
      const region = "steered-b";
      await transaction((tx) => q.noteReachable(tx, region));
      const note = { region, since: 5, code: "a", text: "x" };
      await transaction((tx) => q.noteUnreachable(tx, note));
      await transaction((tx) => q.noteUnreachable(tx, { ...note, since: 7, code: "b" }));
      expect(await stateOf(region)).toMatchObject({ unreachable_since: 5, unreachable_code: "b" });
      await transaction((tx) => q.noteReachable(tx, region));
      expect(await stateOf(region)).toMatchObject({ unreachable_since: null, paused_at: null });
    });

    test("is what has moved since a time", async () => {
      const sample = { region: "steered-c", id: "n", images: 1, bytes: 10 };
      await transaction(async (tx) => {
        for (const at of [1, 2, 3]) await q.insertReplicationSample(tx, { ...sample, at });
        await q.insertReplicationSample(tx, { ...sample, at: 3, id: "m", bytes: 2 ** 40 });
      });
      const moved = async (since: number) =>
        (await q.selectMoved(read(), since)).find(({ region }) => region === "steered-c");
      expect(await moved(2)).toEqual({ region: "steered-c", images: 3, bytes: 20 + 2 ** 40 });
      await transaction((tx) => q.deleteReplicationSamples(tx, 3));
      expect(await moved(0)).toEqual({ region: "steered-c", images: 2, bytes: 10 + 2 ** 40 });
    });
  });

  test("failures are grouped, shown and made due again; images at risk are those nowhere else", async () => {
    const { id: repositoryId, name } = await repository();
    const row = (n: number, region: string) => ({
      ...{ id: `${name}-${n}-${region}`, repositoryId, account, repository: name, tag: "v1" },
      ...{ digest: digest(n), destinationRegion: region, destinationAccount: account },
      ...{ clock: "1", origin: "us-east-1", bytes: 100, now: 50 + n },
    });
    const before = await q.selectImagesAtRisk(read(), "us-east-1");
    await transaction((tx) =>
      upsertReplications(tx, [row(1, "steered-x"), row(1, "steered-y"), row(2, "steered-x")]),
    );
    const fail = (id: string, state: string) =>
      transaction((tx) =>
        tx.all(
          `update replications set state = $1, failure_code = 'bad', failure_side = 'source',
             failure_text = 'why', failed_at = 70 where id = $2`,
          [state, id],
        ),
      );
    await fail(row(1, "steered-x").id, "failed");
    await fail(row(2, "steered-x").id, "failed");
    const groups = (await q.selectFailureGroups(read())).filter(
      (group) => group.destination_region === "steered-x",
    );
    expect(groups).toEqual([
      {
        ...{ destination_region: "steered-x", destination_account: account, state: "failed" },
        ...{ code: "bad", side: "source", images: 2, first_pushed_at: 51, last_failed_at: 70 },
      },
    ]);
    const [group] = groups;
    if (group === undefined) throw new Error("there is no group");
    expect(await q.selectFailureExamples(read(), group, 1)).toHaveLength(1);
    const atRisk = async () => {
      const { images, bytes } = await q.selectImagesAtRisk(read(), "us-east-1");
      return { images: images - before.images, bytes: bytes - before.bytes };
    };
    expect(await atRisk()).toEqual({ images: 2, bytes: 200 });
    await transaction((tx) =>
      tx.all("update replications set state = 'complete' where id = $1", [row(1, "steered-y").id]),
    );
    expect(await atRisk()).toEqual({ images: 1, bytes: 100 });
    const unarrived = (await q.selectUnarrived(read(), "", 10_000)).filter(
      ({ repository }) => repository === name,
    );
    expect(unarrived.map(({ id }) => id)).toEqual([row(1, "steered-x").id, row(2, "steered-x").id]);
    expect(unarrived[0]).toMatchObject({ state: "failed", failure_code: "bad", created_at: 51 });
    expect(await q.selectUnarrived(read(), "~", 10)).toEqual([]);
    const revive = (selection: steering.ReplicationSelection) =>
      transaction((tx) => q.reviveReplications(tx, selection, 99));
    expect(await revive({ region: "steered-x", destinationAccount: "000000000000" })).toBe(0);
    expect(await revive({ ids: [row(2, "steered-x").id], code: "bad", repository: name })).toBe(1);
    const rows = await read().all<{ id: string; due_at: number }>(
      "select id, due_at from replications where state = 'pending' and repository = $1",
      [name],
    );
    expect(rows).toEqual([{ id: row(2, "steered-x").id, due_at: 99 }]);
  });
}
