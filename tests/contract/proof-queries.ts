/** What the queries of the comparison with destinations promise. */
import { describe, expect, test } from "bun:test";
import * as replicationVerifications from "../../src/metadata/queries/replication-verifications.ts";
import { upsertReplications } from "../../src/metadata/queries/replications.ts";
import { upsertSetting } from "../../src/metadata/queries/settings.ts";
import { upsertTag, upsertTombstone } from "../../src/metadata/queries/tags.ts";
import * as verification from "../../src/metadata/queries/verification.ts";
import { account, digest, namesInByteOrder, otherAccount, type QuerySuite } from "./query-suite.ts";

export function proofQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...verification, ...replicationVerifications });
  const { transaction, repository, manifest } = suite;
  const tag = (name: string, more = {}) => ({
    ...{ name, digest: digest(1), clock: "1", origin: "us-east-1", now: 1 },
    ...more,
  });

  describe("leaves", () => {
    test("of tags come by repository and in byte order, those of one region alone", async () => {
      const [first, second] = [await repository(), await repository()];
      await transaction(async (tx) => {
        for (const name of namesInByteOrder) await upsertTag(tx, first.id, tag(name));
        await upsertTag(tx, first.id, tag("another", { origin: "eu-west-1" }));
        await upsertTag(tx, second.id, tag("b"));
      });
      const lastRepositoryId = second.id;
      const read = (repositoryId: number, key: string, limit: number) =>
        q.selectTagLeaves(
          suite.store.read,
          "us-east-1",
          { repositoryId, key, lastRepositoryId },
          limit,
        );
      const all = await read(first.id, "", 100);
      expect(all.map(({ name }) => name)).toEqual([...namesInByteOrder, "b"]);
      expect(all[0]).toEqual({
        ...{ repository_id: first.id, name: "-a", digest: digest(1), clock: "1" },
      });
      const rest = await read(first.id, namesInByteOrder.at(-2) ?? "", 100);
      expect(rest.map(({ name }) => name)).toEqual([namesInByteOrder.at(-1) ?? "", "b"]);
      expect(await read(first.id, "", 3)).toHaveLength(3);
      expect(await read(second.id, "b", 3)).toEqual([]);
    });

    test("of manifests too", async () => {
      const { id, name } = await repository();
      await manifest(id, "one", { digest: digest(2), origin: "us-east-1" });
      await manifest(id, "two", { digest: digest(1), origin: "us-east-1" });
      await manifest(id, "three", { digest: digest(3), origin: "eu-west-1" });
      const position = { repositoryId: id, key: "", lastRepositoryId: id };
      const rows = await q.selectManifestLeaves(suite.store.read, "us-east-1", position, 10);
      expect(rows.map((row) => row.digest)).toEqual([digest(1), digest(2)]);
      const present = await q.selectPresentManifests(suite.store.read, id, [digest(3), digest(9)]);
      expect(present).toEqual([{ digest: digest(3), origin: "eu-west-1", sendable: 1 }]);
      const ids = await q.selectRepositoryIds(suite.store.read, account, id - 1, 1);
      expect(ids).toEqual([{ id, name }]);
      expect(await q.selectRepositoryIds(suite.store.read, otherAccount, id - 1, 1)).toEqual([]);
    });
  });

  test("the states of tags are those of tags and of tombstones", async () => {
    const { id } = await repository();
    await transaction(async (tx) => {
      await upsertTag(tx, id, tag("there"));
      await upsertTombstone(tx, id, tag("gone", { clock: "2" }));
    });
    const rows = await q.selectTagStates(suite.store.read, id, ["never", "there", "gone"]);
    expect(rows.sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: "gone", kind: "tombstone", digest: digest(1), clock: "2", origin: "us-east-1" },
      { name: "there", kind: "tag", digest: digest(1), clock: "1", origin: "us-east-1" },
    ]);
  });

  test("the states of replications are those of one destination", async () => {
    const { id, name } = await repository();
    const row = (region: string) => ({
      ...{ id: `proof-${name}-${region}`, repositoryId: id, account, repository: name },
      ...{ digest: digest(1), tag: "v1", destinationRegion: region, destinationAccount: account },
      ...{ clock: "1", origin: "us-east-1", bytes: 1, now: 1 },
    });
    await transaction((tx) => upsertReplications(tx, [row("proof-a"), row("proof-b")]));
    const destination = { region: "proof-a", registryId: account };
    const digests = [digest(1), digest(2)];
    expect(await q.selectReplicationStates(suite.store.read, id, destination, digests)).toEqual([
      { digest: digest(1), tag: "v1", state: "pending", failure_code: null },
    ]);
  });

  test("the blobs that a repository needs are named once each", async () => {
    const { id } = await repository();
    const layer = (n: number, role: "layer" | "manifest" = "layer") => ({
      ...{ role, digest: digest(n), mediaType: "application/octet-stream" },
      ...{ size: n, required: true },
    });
    await manifest(id, "x", { digest: digest(51), references: [layer(1), layer(2)] });
    await manifest(id, "y", { digest: digest(52), references: [layer(2), layer(3, "manifest")] });
    const blobs = await q.selectRequiredBlobs(suite.store.read, id, "", 10);
    expect(blobs).toEqual([
      { digest: digest(1), size: 1, manifest: digest(51) },
      { digest: digest(2), size: 2, manifest: digest(51) },
    ]);
    expect(await q.selectRequiredBlobs(suite.store.read, id, digest(1), 1)).toHaveLength(1);
  });

  test("the journal names repositories that have changed, and settings the accounts", async () => {
    const changed = await q.selectChangedRepositories(suite.store.read, account, -1, 1000);
    const names = changed.map((row) => row.repository);
    expect(new Set(names).size).toBe(names.length);
    expect(await q.selectChangedRepositories(suite.store.read, account, 1e12, 10)).toEqual([]);
    await transaction((tx) =>
      upsertSetting(tx, otherAccount, "replication_configuration", "{}", 1),
    );
    expect(await q.selectReplicatingAccounts(suite.store.read)).toContain(otherAccount);
  });

  test("the newest comparison replaces the one before", async () => {
    const row = { account, destination_region: "proof", destination_account: account };
    const stored = async () =>
      (await q.selectVerifications(suite.store.read)).filter(
        ({ destination_region }) => destination_region === "proof",
      );
    await transaction((tx) => q.upsertVerification(tx, { ...row, finished_at: 1, outcome: "1" }));
    await transaction((tx) => q.upsertVerification(tx, { ...row, finished_at: 2, outcome: "2" }));
    expect(await stored()).toEqual([{ ...row, finished_at: 2, outcome: "2" }]);
  });
}
