/** What the queries on replications promise. */
import { describe, expect, test } from "bun:test";
import * as destinationBacklogs from "../../src/metadata/queries/destination-backlogs.ts";
import * as imageClosure from "../../src/metadata/queries/image-closure.ts";
import * as imageReplications from "../../src/metadata/queries/image-replications.ts";
import * as incomingBlobs from "../../src/metadata/queries/incoming-blobs.ts";
import * as replicationQueries from "../../src/metadata/queries/replications.ts";
import { account, digest, type QuerySuite } from "./query-suite.ts";

type Claimed = replicationQueries.ClaimedReplication;

export function replicationQueriesContract(suite: QuerySuite): void {
  const q = suite.record({
    ...replicationQueries,
    ...imageReplications,
    ...imageClosure,
    ...destinationBacklogs,
    ...incomingBlobs,
  });
  const { transaction, repository, manifest } = suite;
  let regions = 0;

  /** Replications of one new repository to a region of its own. */
  async function fixture(count: number) {
    regions += 1;
    const region = `region-${regions}`;
    const { id: repositoryId, name } = await repository();
    const rows = Array.from({ length: count }, (_, i) => ({
      ...{ id: `${region}-${i}`, repositoryId, account, repository: name, digest: digest(i) },
      ...{ tag: "v1", destinationRegion: region, destinationAccount: account },
      ...{ clock: "1", origin: "us-east-1", bytes: 1000 + i, now: 100 + i },
    }));
    await transaction((tx) => q.upsertReplications(tx, rows));
    const claim = (now: number, limit = 10, bulk = false): Promise<Claimed[]> =>
      transaction((tx) =>
        q.claimReplications(tx, {
          ...{ region, bulk, backlog: false, now },
          ...{ leaseUntil: now + 50, limit },
        }),
      );
    const status = async (i: number) => {
      const all = await q.selectImageReplications(suite.store.read, {
        account,
        repository: name,
        digest: digest(i),
        tag: undefined,
      });
      return all[0];
    };
    const nextDue = (bulk = false) =>
      q.selectNextDue(suite.store.read, region, { bulk, backlog: false });
    return { region, name, rows, claim, status, nextDue };
  }

  const failure = { code: "unreachable", side: "destination", text: "no answer", now: 300 };

  describe("replications", () => {
    test("are claimed when due, the longest due first, once for each lease", async () => {
      const { rows, claim, nextDue } = await fixture(3);
      expect(await claim(99)).toEqual([]);
      expect(await nextDue()).toBe(100);
      const claimed = await claim(101);
      expect(claimed.map((row) => row.id).sort()).toEqual([rows[0]?.id ?? "", rows[1]?.id ?? ""]);
      expect(claimed[0]).toMatchObject({ tag: "v1", attempts: 1, lease: 2, clock: "1" });
      expect(await claim(101)).toEqual([]);
      expect(await nextDue()).toBe(102);
      // The leases end at 151: the work of a worker that died is taken over.
      expect(await claim(151)).toHaveLength(3);
      expect(await nextDue(true)).toBeUndefined();
    });

    test("are never claimed twice at the same time", async () => {
      const { claim } = await fixture(12);
      const claims = await Promise.all(Array.from({ length: 8 }, () => claim(1000, 3)));
      const ids = claims.flat().map((row) => row.id);
      expect(new Set(ids).size).toBe(ids.length);
      // Engines that pass over held rows may leave some for the next round.
      ids.push(...(await claim(1000, 12)).map((row) => row.id));
      expect(new Set(ids).size).toBe(12);
    });

    test("take an outcome from the newest lease alone", async () => {
      const { claim, status, rows, name } = await fixture(1);
      const [old] = await claim(200);
      if (old === undefined) throw new Error("nothing was claimed");
      const renewal = { leaseUntil: 500, bytesSent: 7 };
      expect(await transaction((tx) => q.renewReplicationLease(tx, old, renewal))).toBe(true);
      const [newer] = await claim(500);
      if (newer === undefined) throw new Error("nothing was claimed");
      const outcome = { now: 600, bytesSent: 3 };
      expect(await transaction((tx) => q.completeReplication(tx, old, outcome))).toBe(false);
      expect(await transaction((tx) => q.completeReplication(tx, newer, outcome))).toBe(true);
      expect(await transaction((tx) => q.completeReplication(tx, newer, outcome))).toBe(false);
      const complete = { state: "complete", completed_at: 600, bytes_sent: 10, bytes_remaining: 0 };
      expect(await status(0)).toMatchObject(complete);
      // A newer version of the tag makes the same row due again, as new.
      const again = rows.map((row) => ({ ...row, id: "another", clock: "2", now: 700 }));
      await transaction((tx) => q.upsertReplications(tx, again));
      expect(await status(0)).toMatchObject({ state: "pending", created_at: 700, attempts: 0 });
      const all = await q.selectImageReplications(suite.store.read, {
        account,
        repository: name,
        digest: digest(0),
        tag: undefined,
      });
      expect(all).toHaveLength(1);
    });

    test("are given back, deferred, tried again, hastened and failed", async () => {
      const { region, claim, status, nextDue } = await fixture(1);
      const claimOne = async (now: number, bulk = false) => {
        const [row] = await claim(now, 1, bulk);
        if (row === undefined) throw new Error("nothing was claimed");
        return row;
      };
      let lease = await claimOne(200);
      await transaction((tx) => q.releaseReplication(tx, lease, { now: 201, bytesSent: 1 }));
      lease = await claimOne(201);
      expect(lease.attempts).toBe(1);
      const deferral = { now: 202, bytesRemaining: 2 ** 40 };
      await transaction((tx) => q.deferReplication(tx, lease, deferral));
      expect(await nextDue()).toBeUndefined();
      expect(await nextDue(true)).toBe(202);
      lease = await claimOne(202, true);
      const recorded = { ...failure, bytesSent: 5 };
      const next = { dueAt: 9000, attempts: 4 };
      await transaction((tx) => q.retryReplication(tx, lease, recorded, next));
      expect(await status(0)).toMatchObject({
        ...{ state: "pending", attempts: 4, bytes_sent: 6, bytes_remaining: 2 ** 40 },
        ...{ failure_code: "unreachable", failure_text: "no answer", failed_at: 300 },
      });
      const hasten = (codes: string[]) =>
        transaction((tx) => q.hastenReplications(tx, { region, now: 400, codes }));
      await hasten(["refused"]);
      expect(await nextDue(true)).toBe(9000);
      await hasten(["refused", "unreachable"]);
      expect(await nextDue(true)).toBe(400);
      await transaction((tx) => q.hastenImplausible(tx, { now: 350, latest: 399 }));
      expect(await nextDue(true)).toBe(350);
      lease = await claimOne(400, true);
      expect(await transaction((tx) => q.failReplication(tx, lease, recorded))).toBe(true);
      expect((await status(0))?.state).toBe("failed");
      expect(await nextDue(true)).toBeUndefined();
    });

    test("are counted for each destination", async () => {
      const { region, claim } = await fixture(3);
      const claimed = await claim(200);
      const [first] = claimed;
      if (first === undefined) throw new Error("nothing was claimed");
      await transaction((tx) => q.failReplication(tx, first, { ...failure, bytesSent: 0 }));
      const backlogs = await q.selectDestinationBacklogs(suite.store.read);
      const pending = [1000, 1001, 1002].filter((bytes) => digest(bytes - 1000) !== first.digest);
      expect(backlogs.find((row) => row.destination_region === region)).toEqual({
        ...{ destination_region: region, destination_account: account, pending: 2, failed: 1 },
        oldest_created_at: Math.min(...pending) - 900,
        bytes_remaining: pending.reduce((sum, bytes) => sum + bytes, 0),
      });
    });

    test("say why they wait for a region that nobody knows", async () => {
      const { region, status } = await fixture(1);
      const known = Array.from({ length: regions - 1 }, (_, i) => `region-${i + 1}`);
      const note = (regionsOfChart: string[]) =>
        transaction((tx) => q.noteUnknownRegions(tx, regionsOfChart, failure));
      await note([...known, region]);
      expect((await status(0))?.failure_code).toBeNull();
      await note([...known, "eu-west-1"]);
      expect(await status(0)).toMatchObject({ failure_code: failure.code, state: "pending" });
    });

    test("that are due later than anything can be are due now", async () => {
      const { region, claim, nextDue } = await fixture(1);
      const [lease] = await claim(200);
      if (lease === undefined) throw new Error("nothing was claimed");
      const next = { dueAt: 900_000, attempts: 1 };
      await transaction((tx) => q.retryReplication(tx, lease, { ...failure, bytesSent: 0 }, next));
      const hasten = (latest: number) =>
        transaction((tx) => q.hastenImplausible(tx, { now: 300, latest }));
      await hasten(900_000);
      expect(await nextDue()).toBe(900_000);
      await hasten(899_999);
      expect(await nextDue()).toBe(300);
      expect(region).toBe(lease.destination_region);
    });

    test("lose their leases when the worker starts anew", async () => {
      const { claim, nextDue } = await fixture(1);
      const [lease] = await claim(200);
      if (lease === undefined) throw new Error("nothing was claimed");
      await transaction((tx) => q.endReplicationLeases(tx, 210));
      expect(await nextDue()).toBe(210);
      const outcome = { now: 220, bytesSent: 0 };
      expect(await transaction((tx) => q.completeReplication(tx, lease, outcome))).toBe(false);
    });
  });

  test("an offer finds a manifest, what it refers to and the size of the closure", async () => {
    const { id } = await repository();
    const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
    const layer = (name: string, size: number) => ({
      ...({ role: "layer", digest: digest(name), mediaType, size, required: true } as const),
    });
    const shared = layer("shared", 2 ** 33);
    await manifest(id, "c1", { references: [shared, layer("own1", 10)] });
    await manifest(id, "c2", { references: [shared, layer("own2", 20)] });
    const children = ["c1", "c2", "missing"].map((name) => ({
      ...({ role: "manifest", digest: digest(name), mediaType, size: 1, required: false } as const),
    }));
    await manifest(id, "index", { references: children });
    const bytes = (name: string) => q.selectClosureBytes(suite.store.read, id, digest(name));
    expect(await bytes("index")).toBe(2 ** 33 + 30);
    expect(await bytes("c1")).toBe(2 ** 33 + 10);
    expect(await bytes("none")).toBe(0);
    expect(await q.selectArtifactType(suite.store.read, id, digest("c1"))).not.toBe("");
    expect(await q.selectArtifactType(suite.store.read, id, digest("none"))).toBe("");
    const row = await q.selectManifestForOffer(suite.store.read, id, digest("c1"));
    expect(row?.origin).toBe("us-east-1");
    expect(Buffer.from(row?.bytes ?? []).toString()).toBe('{"name":"c1"}');
    expect(await q.selectManifestForOffer(suite.store.read, id, digest("none"))).toBeUndefined();
    const held = await q.selectHeldReferences(suite.store.read, id, digest("index"));
    expect(held.map((reference) => reference.is_manifest)).toEqual([1, 1, 0]);
    expect(held.map((reference) => reference.required)).toEqual([0, 0, 0]);
    const layers = await q.selectHeldReferences(suite.store.read, id, digest("c1"));
    expect(layers.map((reference) => reference.blob_size)).toEqual([null, null]);
  });

  test("incoming blobs have sessions that are renewed", async () => {
    const incoming = { id: "incoming-1", digestAlgorithm: "sha256" };
    await transaction((tx) => q.upsertIncomingBlob(tx, { ...incoming, now: 1 }));
    await transaction((tx) => q.upsertIncomingBlob(tx, { ...incoming, now: 2 }));
    const ids = [...Array.from({ length: 700 }, (_, i) => `none-${i}`), incoming.id];
    expect(await q.selectIncomingBlobs(suite.store.read, ids)).toEqual(new Set([incoming.id]));
    const rows = await suite.store.read.all<{ touched_at: number }>(
      "select touched_at from uploads where id = $1",
      [incoming.id],
    );
    expect(rows).toEqual([{ touched_at: 2 }]);
  });
}
