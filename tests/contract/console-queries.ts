/** What the queries behind the console promise. */
import { describe, expect, test } from "bun:test";
import * as sessionQueries from "../../src/metadata/queries/console-sessions.ts";
import * as routeQueries from "../../src/metadata/queries/replication-routes.ts";
import {
  claimReplications,
  completeReplication,
  upsertReplications,
} from "../../src/metadata/queries/replications.ts";
import { insertRepository } from "../../src/metadata/queries/repositories.ts";
import * as searchQueries from "../../src/metadata/queries/search.ts";
import { upsertTag } from "../../src/metadata/queries/tags.ts";
import { digest, type QuerySuite } from "./query-suite.ts";

export function consoleQueriesContract(suite: QuerySuite): void {
  const q = suite.record({ ...sessionQueries, ...routeQueries, ...searchQueries });
  const { transaction, manifest } = suite;
  const read = () => suite.store.read;
  let accounts = 0;

  /** An account of its own, so that the tests do not meet. */
  function account(): string {
    accounts += 1;
    return String(500_000_000_000 + accounts);
  }
  async function repository(of: string, name: string, createdAt = 5): Promise<number> {
    const row = await transaction((tx) => insertRepository(tx, of, name, createdAt));
    if (row === undefined) throw new Error(`${name} is there already`);
    return row.id;
  }

  describe("repositories", () => {
    test("are found by a piece of the name, in either order, page by page", async () => {
      const own = account();
      const names = ["app", "a_b", "web/app-2", "web/api", "a%b"].filter((name) => name !== "a%b");
      for (const [i, name] of names.entries()) await repository(own, name, 100 - i);
      const find = async (
        text: string,
        sort: "name" | "created",
        direction: searchQueries.Direction,
        after?: searchQueries.SearchCursor,
        limit = 10,
      ) => {
        const search = { text, sort, direction };
        const rows = await q.searchRepositories(read(), own, search, { after, limit });
        return rows.map(({ name }) => name);
      };
      expect(await find("", "name", "ascending")).toEqual(["a_b", "app", "web/api", "web/app-2"]);
      expect(await find("app", "name", "descending")).toEqual(["web/app-2", "app"]);
      // Wildcards of SQL are letters like others.
      expect(await find("a_b", "name", "ascending")).toEqual(["a_b"]);
      expect(await find("%", "name", "ascending")).toEqual([]);
      expect(await find("!", "name", "ascending")).toEqual([]);
      expect(await find("", "created", "descending")).toEqual(names);
      const second = { value: 99, name: "a_b" };
      expect(await find("", "created", "descending", second, 1)).toEqual(["web/app-2"]);
      expect(await find("", "name", "ascending", { value: 0, name: "app" })).toEqual([
        "web/api",
        "web/app-2",
      ]);
      expect(await q.countRepositories(read(), own, "")).toBe(4);
      expect(await q.countRepositories(read(), own, "app")).toBe(2);
      expect(await q.countRepositories(read(), account(), "")).toBe(0);
    });

    test("tell how many images they have, and when the newest was pushed", async () => {
      const id = await repository(account(), "app");
      expect(await q.selectContentSummary(read(), id)).toEqual({ images: 0, pushed_at: null });
      await manifest(id, "a", { pushedAt: 3 });
      await manifest(id, "b", { pushedAt: 9 });
      expect(await q.selectContentSummary(read(), id)).toEqual({ images: 2, pushed_at: 9 });
    });
  });

  test("images are found by a piece of a tag, newest first, page by page", async () => {
    const id = await repository(account(), "app");
    for (const [name, pushedAt] of [
      ["a", 1],
      ["b", 2],
      ["c", 2],
      ["d", 3],
    ] as const) {
      await manifest(id, name, { pushedAt });
    }
    for (const [name, of] of [
      ["v1.0", "a"],
      ["v1.1", "b"],
      ["latest", "b"],
    ] as const) {
      const row = { name, digest: digest(of), clock: "1", origin: "us-east-1", now: 1 };
      await transaction((tx) => upsertTag(tx, id, row));
    }
    const any = { tag: "", tagStatus: "ANY", direction: "descending" } as const;
    const find = async (
      search: searchQueries.ImageSearch,
      after?: searchQueries.SearchCursor,
      limit = 10,
    ) => (await q.searchImages(read(), id, search, { after, limit })).map((row) => row.digest);
    const digests = (...names: string[]) => names.map((name) => digest(name));
    expect(await find(any)).toEqual(digests("d", "c", "b", "a"));
    expect(await find(any, { value: 2, name: digest("c") }, 1)).toEqual(digests("b"));
    expect(await find({ ...any, direction: "ascending" })).toEqual(digests("a", "b", "c", "d"));
    expect(await find({ ...any, tag: "v1" })).toEqual(digests("b", "a"));
    expect(await find({ ...any, tag: "lat", tagStatus: "TAGGED" })).toEqual(digests("b"));
    expect(await find({ ...any, tagStatus: "TAGGED" })).toEqual(digests("b", "a"));
    expect(await find({ ...any, tagStatus: "UNTAGGED" })).toEqual(digests("d", "c"));
    expect(await q.countImages(read(), id, any)).toBe(4);
    expect(await q.countImages(read(), id, { ...any, tag: "v1" })).toBe(2);
  });

  test("what has arrived nowhere is counted once, per account", async () => {
    const own = account();
    const id = await repository(own, "prod/app");
    const outside = await repository(own, "test/app");
    await repository(own, "empty");
    await manifest(id, "a");
    await manifest(outside, "b");
    const row = (name: string, tag: string, destinationRegion: string, bytes: number) => ({
      ...{ id: crypto.randomUUID(), repositoryId: id, account: own, repository: "prod/app" },
      ...{ digest: digest(name), tag, destinationRegion, destinationAccount: own },
      ...{ clock: "1", origin: "us-east-1", bytes, now: 50 },
    });
    const rows = [
      row("a", "1", "eu-x-1", 10),
      row("a", "2", "eu-x-1", 10),
      row("c", "", "sa-x-1", 5),
    ];
    await transaction((tx) => upsertReplications(tx, rows));
    const backlog = await q.selectRouteBacklogs(read(), own);
    expect(backlog).toEqual([
      {
        ...{ destination_region: "eu-x-1", destination_account: own },
        ...{ pending: 2, failed: 0, oldest_created_at: 50, bytes_remaining: 20 },
      },
      {
        ...{ destination_region: "sa-x-1", destination_account: own },
        ...{ pending: 1, failed: 0, oldest_created_at: 50, bytes_remaining: 5 },
      },
    ]);
    expect(await q.selectRouteBacklogs(read(), account())).toEqual([]);
    const missing = { images: 2, bytes: 15, oldest_created_at: 50 };
    expect(await q.selectUnreplicated(read(), own)).toEqual(missing);
    // One tag of an image has arrived: its bytes are safe.
    await transaction(async (tx) => {
      const queue = { region: "eu-x-1", bulk: false, backlog: false };
      const claim = { ...queue, now: 60, leaseUntil: 100, limit: 1 };
      const [claimed] = await claimReplications(tx, claim);
      if (claimed === undefined) throw new Error("nothing was due");
      await completeReplication(tx, claimed, { now: 61, bytesSent: 10 });
    });
    expect(await q.selectUnreplicated(read(), own)).toEqual({ ...missing, images: 1, bytes: 5 });
    expect(await q.countRepositoriesOutside(read(), own, ["prod"])).toBe(1);
    expect(await q.countRepositoriesOutside(read(), own, ["prod/", "test"])).toBe(0);
    expect(await q.countRepositoriesOutside(read(), own, [])).toBe(2);
  });

  test("sessions are opened, renewed, given a role, and ended one by one or all", async () => {
    const identity = `arn:aws:iam::${account()}:root`;
    const session = (id: string, created_at: number): sessionQueries.ConsoleSessionRow => ({
      ...{ id, account: "1", identity, access_key_id: "AKIA", session_token: null },
      ...{ secret_proof: "p", role_access_key_id: null, role_session_token: null },
      ...{ created_at, expires_at: 1000, renewable_until: 2000 },
    });
    for (const [id, at] of [
      ["s1", 1],
      ["s2", 2],
      ["s3", 3],
    ] as const) {
      await transaction((tx) => q.insertConsoleSession(tx, session(id, at)));
    }
    const find = (id: string) => q.selectConsoleSession(read(), id);
    expect(await find("s1")).toEqual(session("s1", 1));
    await transaction((tx) => q.updateConsoleSessionExpiry(tx, "s1", 1500));
    const role = { accessKeyId: "ASIA", sessionToken: "t" };
    await transaction((tx) => q.updateConsoleSessionRole(tx, "s1", role));
    expect(await find("s1")).toMatchObject({ expires_at: 1500, role_access_key_id: "ASIA" });
    await transaction((tx) => q.updateConsoleSessionRole(tx, "s1", undefined));
    expect((await find("s1"))?.role_session_token).toBeNull();
    await transaction((tx) => q.deleteSurplusConsoleSessions(tx, { now: 999, identity, kept: 2 }));
    expect(await find("s1")).toBeUndefined();
    await transaction((tx) => q.deleteConsoleSession(tx, "s2"));
    expect(await find("s2")).toBeUndefined();
    await transaction((tx) => q.insertConsoleSession(tx, session("s4", 4)));
    expect(await transaction((tx) => q.deleteConsoleSessionsOfIdentity(tx, identity))).toBe(2);
    await transaction((tx) => q.insertConsoleSession(tx, session("s5", 5)));
    await transaction((tx) => q.deleteSurplusConsoleSessions(tx, { now: 1000, identity, kept: 9 }));
    expect(await find("s5")).toBeUndefined();
  });
}
