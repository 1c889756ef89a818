/** What the queries on refused replications, and on images that are not forwarded, promise. */
import { describe, expect, test } from "bun:test";
import * as manifestQueries from "../../src/metadata/queries/manifests.ts";
import * as refusedQueries from "../../src/metadata/queries/refused-replications.ts";
import * as tagQueries from "../../src/metadata/queries/replication-tags.ts";
import * as replicationQueries from "../../src/metadata/queries/replications.ts";
import { upsertTag } from "../../src/metadata/queries/tags.ts";
import { account, digest, otherAccount, type QuerySuite } from "./query-suite.ts";

export function consentQueriesContract(suite: QuerySuite): void {
  const q = suite.record({
    ...replicationQueries,
    ...refusedQueries,
    ...tagQueries,
    updateReplicated: manifestQueries.updateReplicated,
  });
  const { transaction } = suite;
  const region = "region-of-refusals";
  let rows = 0;

  async function pending(repositoryId: number, destinationAccount: string, now: number) {
    const id = `refused-${++rows}`;
    const row = {
      ...{ id, repositoryId, account, repository: "r", digest: digest(rows), tag: "1" },
      ...{ destinationRegion: region, destinationAccount, clock: "1", origin: "us-east-1" },
      ...{ bytes: 1, now },
    };
    await transaction((tx) => q.upsertReplications(tx, [row]));
    return id;
  }
  const dueOf = async (id: string) =>
    (
      await suite.store.read.all<{ due_at: number; failure_code: string | null }>(
        "select due_at, failure_code from replications where id = $1",
        [id],
      )
    )[0];

  describe("refused replications", () => {
    test("wait together, by repository and destination, until one of them is taken", async () => {
      const [first, second] = [await suite.repository(), await suite.repository()];
      const refused = await pending(first.id, otherAccount, 100);
      const later = await pending(first.id, otherAccount, 900);
      const elsewhere = await pending(first.id, account, 100);
      const other = await pending(second.id, otherAccount, 100);
      const destination = { destinationRegion: region, destinationAccount: otherAccount };
      const failure = { code: "forbidden", side: "destination", text: "no", now: 500 };
      const repositoryId = first.id;
      await transaction((tx) =>
        q.postponeRefused(tx, { repositoryId, ...destination, dueAt: 700 }, failure),
      );
      expect(await dueOf(refused)).toEqual({ due_at: 700, failure_code: "forbidden" });
      expect(await dueOf(later)).toEqual({ due_at: 900, failure_code: null });
      expect(await dueOf(elsewhere)).toEqual({ due_at: 100, failure_code: null });
      expect(await dueOf(other)).toEqual({ due_at: 100, failure_code: null });
      const hasten = { region, account: otherAccount, now: 600, codes: ["forbidden"] };
      await transaction((tx) => q.hastenRefused(tx, { ...hasten, codes: ["unknown"] }));
      expect((await dueOf(refused))?.due_at).toBe(700);
      await transaction((tx) => q.hastenRefused(tx, hasten));
      expect((await dueOf(refused))?.due_at).toBe(600);
      expect((await dueOf(later))?.due_at).toBe(900);
    });
  });

  describe("the tags of an image that is replicated again", () => {
    test("are those of the region, or one empty name; none of what came by replication", async () => {
      const { id } = await suite.repository();
      const [own, bare, replica] = ["own", "bare", "replica"].map((name) => digest(name));
      if (!own || !bare || !replica) throw new Error("three digests are needed");
      await suite.manifest(id, "own", { digest: own });
      await suite.manifest(id, "bare", { digest: bare });
      await suite.manifest(id, "replica", { digest: replica, replicated: true });
      const set = (name: string, of: string, origin: string) =>
        transaction((tx) => upsertTag(tx, id, { name, digest: of, clock: "7", origin, now: 1 }));
      await set("b", own, "us-east-1");
      await set("a", own, "us-east-1");
      await set("c", own, "eu-west-1");
      await set("d", replica, "us-east-1");
      const tags = async (of: string) =>
        (
          await q.selectOwnTags(suite.store.read, {
            repositoryId: id,
            digest: of,
            origin: "us-east-1",
          })
        ).map(({ tag, clock }) => `${tag} ${clock}`);
      expect(await tags(own)).toEqual(["a 7", "b 7"]);
      expect(await tags(bare)).toEqual([" "]);
      expect(await tags(replica)).toEqual([]);
      await transaction((tx) => q.updateReplicated(tx, id, replica));
      expect(await tags(replica)).toEqual(["d 7"]);
    });
  });
}
