/** A region that compares a destination with itself: over real sockets, against real states. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Digest } from "../../src/image/digest.ts";
import { upsertTag } from "../../src/metadata/queries/tags.ts";
import { deleteManifest } from "../../src/registry/delete-manifest.ts";
import { deleteTag } from "../../src/registry/delete-tag.ts";
import type { VerificationReport } from "../../src/replication/verification/verify-destination.ts";
import { noise, pushImage, testAccount } from "../support/push-image.ts";
import { ruleTo, startFleet, type TestRegion } from "../support/regions.ts";
import { allComplete, pull, pullAll } from "../support/replicated.ts";

setDefaultTimeout(60_000);

const actor = `arn:aws:iam::${testAccount}:root`;

const push = (region: TestRegion, seed: string, tag: string, repository = "web") =>
  pushImage(region.context, {
    repository,
    tags: [tag],
    config: new TextEncoder().encode(`{"seed":"${seed}"}`),
    layers: [noise(seed, 500)],
  });

interface More {
  repair?: boolean;
  deep?: boolean;
  repositoryPrefix?: string;
}

const verify = (region: TestRegion, to: string, more: More = {}): Promise<VerificationReport> =>
  region.replication.verify({
    account: testAccount,
    destination: { region: to, registryId: testAccount },
    signal: new AbortController().signal,
    ...more,
  });

const idOf = async (region: TestRegion, repository: string): Promise<number> => {
  const [row] = await region.metadata.read.all<{ id: number }>(
    "select id from repositories where name = $1",
    [repository],
  );
  return row?.id ?? 0;
};

async function pair(rules = [ruleTo("eu-west-1")]) {
  const fleet = await startFleet(["us-east-1", "eu-west-1"]);
  const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
  await source.configure(rules);
  return { fleet, source, replica };
}

describe("verify", () => {
  test("finds agreement in one question, and says what it has compared", async () => {
    const { fleet, source } = await pair();
    await using _ = fleet;
    for (const tag of ["1", "2", "3"]) {
      const image = await push(source, tag, tag);
      await allComplete(source, "web", image.digest);
    }
    const report = await verify(source, "eu-west-1");
    expect(report).toMatchObject({ wrong: 0, onTheWay: 0, tags: 3, manifests: 3, roundTrips: 1 });
    expect(report.differences).toEqual([]);
    expect(report.wireBytes).toBeGreaterThan(50);
    expect(report.wireBytes).toBeLessThan(1000);
  });

  test("names every kind of difference, repairs what is wrong and overwrites nothing newer", async () => {
    const { fleet, source, replica } = await pair();
    await using _ = fleet;
    const images = new Map<string, string>();
    for (const tag of ["lost", "older", "newer", "deleted-there", "deleted-here", "equal"]) {
      const image = await push(source, tag, tag);
      images.set(tag, image.digest);
      await allComplete(source, "web", image.digest);
    }
    const digest = (tag: string) => images.get(tag) ?? "";
    // Behind the back of every status: rows vanish and go back at the destination.
    const there = await idOf(replica, "web");
    await deleteManifest(replica.context, {
      ...{ account: testAccount, repository: "web", actor },
      digest: digest("lost") as Digest,
    });
    await replica.metadata.transaction(async (tx) => {
      await tx.all("delete from tag_tombstones where repository_id = $1", [there]);
      await upsertTag(tx, there, {
        ...{ name: "older", digest: digest("equal"), origin: "us-east-1", now: 1 },
        clock: "000000000000001.000000",
      });
    });
    await Bun.sleep(2);
    const newer = await push(replica, "newer than that", "newer");
    const address = { account: testAccount, repository: "web", actor };
    await deleteTag(replica.context, { ...address, tag: "deleted-there" });
    await deleteManifest(source.context, { ...address, digest: digest("deleted-here") as Digest });

    const found = await verify(source, "eu-west-1");
    const kinds = found.differences.map(({ kind, tag, digest }) => `${kind} ${tag ?? digest}`);
    expect(kinds.sort()).toEqual(
      [
        "missing lost",
        `missing ${digest("lost")}`,
        "older older",
        "newer newer",
        "newer deleted-there",
        "extra deleted-here",
        `extra ${digest("deleted-here")}`,
      ].sort(),
    );
    expect(found).toMatchObject({ wrong: 3, onTheWay: 0, truncated: false });
    expect(found.repaired).toBeUndefined();

    const repaired = await verify(source, "eu-west-1", { repair: true });
    expect(repaired.repaired).toBe(2);
    await allComplete(source, "web", digest("lost"));
    await allComplete(source, "web", digest("older"));
    expect(await verify(source, "eu-west-1")).toMatchObject({ wrong: 0, onTheWay: 0 });
    await pullAll(replica, "web", "lost");
    expect((await pull(replica, "web", "older"))?.digest).toBe(digest("older"));
    expect((await pull(replica, "web", "newer"))?.digest).toBe(newer.digest);
    expect(await pull(replica, "web", "deleted-there")).toBeUndefined();
  });

  test("reports what waits apart, and what was pushed before the rule as missing", async () => {
    const { fleet, source, replica } = await pair([]);
    await using _ = fleet;
    const before = await push(source, "before", "before");
    await source.configure([ruleTo("eu-west-1")]);
    replica.line.faults.refuse = true;
    await push(source, "waiting", "waiting");
    replica.line.faults.refuse = false;
    // It may have arrived by now, but it is never counted as wrong.
    const report = await verify(source, "eu-west-1");
    expect(report.differences.map(({ tag, digest }) => tag ?? digest).sort()).toEqual(
      ["before", before.digest].sort(),
    );
    expect(report.wrong).toBe(2);
  });

  test("counts what a stopped engine still has to send as on the way", async () => {
    const fleet = await startFleet(["us-east-1", "eu-west-1"], { idle: ["us-east-1"] });
    await using _ = fleet;
    const source = fleet.region("us-east-1");
    await source.configure([ruleTo("eu-west-1")]);
    await push(source, "waiting", "waiting");
    expect(await verify(source, "eu-west-1")).toMatchObject({ wrong: 0, onTheWay: 2 });
  });

  test("compares only what the rules take, and only the prefix that was asked for", async () => {
    const { fleet, source } = await pair([
      {
        destinations: [{ region: "eu-west-1", registryId: testAccount }],
        repositoryFilters: [{ filter: "prod", filterType: "PREFIX_MATCH" }],
      },
    ]);
    await using _ = fleet;
    await push(source, "a", "1", "dev/web");
    const image = await push(source, "b", "1", "prod/web");
    await allComplete(source, "prod/web", image.digest);
    expect(await verify(source, "eu-west-1")).toMatchObject({ repositories: 1, wrong: 0 });
    const other = await verify(source, "eu-west-1", { repositoryPrefix: "prod/x" });
    expect(other).toMatchObject({ repositories: 0, tags: 0, roundTrips: 0 });
    const same = await verify(source, "eu-west-1", { repositoryPrefix: "prod/" });
    expect(same).toMatchObject({ repositories: 1, tags: 1, wrong: 0, roundTrips: 1 });
  });

  test("of a rule that chooses tags compares these tags", async () => {
    const { fleet, source } = await pair([
      {
        destinations: [{ region: "eu-west-1", registryId: testAccount }],
        repositoryFilters: [{ filter: "v*", filterType: "PORTOLAN_TAG" }],
      },
    ]);
    await using _ = fleet;
    await push(source, "a", "dev");
    const image = await push(source, "b", "v1");
    await allComplete(source, "web", image.digest);
    expect(await verify(source, "eu-west-1")).toMatchObject({ tags: 1, manifests: 0, wrong: 0 });
  });

  test("in its deep form finds blobs that are damaged or gone, and brings them again", async () => {
    const { fleet, source, replica } = await pair();
    await using _ = fleet;
    const image = await push(source, "layer", "1");
    await allComplete(source, "web", image.digest);
    const blobs = (await pullAll(source, "web", "1")).slice(1) as Digest[];
    const [gone] = blobs;
    if (gone === undefined) throw new Error("the image has no blob");
    const withdrawn = await replica.blobs.withdraw(gone, "test");
    await withdrawn?.destroy();
    expect(await verify(source, "eu-west-1")).toMatchObject({ wrong: 0 });
    const deep = await verify(source, "eu-west-1", { deep: true, repair: true });
    expect(deep.differences).toEqual([
      { kind: "blob_missing", repository: "web", digest: image.digest, blob: gone },
    ]);
    expect(deep.deep?.blobs).toBe(blobs.length);
    await allComplete(source, "web", image.digest);
    await pullAll(replica, "web", "1");
    expect(await verify(source, "eu-west-1", { deep: true })).toMatchObject({ wrong: 0 });
  });

  test("tells of many thousand tags in agreement within one small answer, and finds few in few questions", async () => {
    const fleet = await startFleet(["us-east-1", "eu-west-1"], { idle: ["us-east-1"] });
    await using _ = fleet;
    const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
    const image = await push(source, "many", "first");
    await source.configure([ruleTo("eu-west-1")]);
    source.replication.start();
    await verify(source, "eu-west-1", { repair: true });
    await allComplete(source, "web", image.digest);
    const tags = 5000;
    for (const region of [source, replica]) {
      const id = await idOf(region, "web");
      await region.metadata.transaction(async (tx) => {
        for (let i = 0; i < tags; i++) {
          if (region === replica && i % 1000 === 7) continue;
          await upsertTag(tx, id, {
            ...{ name: `build-${i}`, digest: image.digest, origin: "us-east-1", now: 1 },
            clock: "000000000000001.000000",
          });
        }
        // What is written past the journal is not looked for by those who remember.
        await tx.all("update changes set sequence = sequence + 1000000", []);
      });
    }
    const sent = replica.line.bytesUp + replica.line.bytesDown;
    const report = await verify(source, "eu-west-1");
    expect(report).toMatchObject({ tags: tags + 1, wrong: 5, counts: { missing: 5 } });
    expect(report.roundTrips).toBeLessThanOrEqual(6);
    expect(replica.line.bytesUp + replica.line.bytesDown - sent).toBeLessThan(64 * 1024);
  });
});
