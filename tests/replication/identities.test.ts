/** Identities written in one region hold in all: through outages, at the same time, and after it. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { createAccessKey } from "../../src/access/identities/create-access-key.ts";
import { createUser } from "../../src/access/identities/create-user.ts";
import { deleteUser } from "../../src/access/identities/delete-user.ts";
import { findIdentity } from "../../src/access/identities/identity-context.ts";
import { accessKeyKind } from "../../src/access/identities/identity-documents.ts";
import { secretCipher } from "../../src/access/installation-key.ts";
import { selectChanges } from "../../src/metadata/queries/changes.ts";
import { selectDocument } from "../../src/metadata/queries/documents.ts";
import { changeDocument, findDocument } from "../../src/registry/documents.ts";
import { formatHybridTimestamp } from "../../src/registry/hybrid-clock.ts";
import { documentSeal } from "../../src/replication/documents/messages.ts";
import { systemRandom } from "../../src/runtime/clock.ts";
import { manualClock } from "../support/manual-clock.ts";
import { metadataStores } from "../support/metadata-stores.ts";
import { testAccount } from "../support/push-image.ts";
import { type FleetOptions, startFleet, type TestRegion } from "../support/regions.ts";
import { waitUntil } from "../support/wait-until.ts";

// They wait for conditions, not for times; a busy machine may be slow.
setDefaultTimeout(60_000);

const key = systemRandom.bytes(32);
const names = ["us-east-1", "eu-west-1", "sa-east-1"] as const;
const actor = `arn:aws:iam::${testAccount}:root`;
const account = testAccount;

async function fleetOf(options: FleetOptions = {}) {
  const fleet = await startFleet(names, { installationKey: () => key, ...options });
  return {
    fleet,
    regions: names.map((name) => fleet.region(name)) as [TestRegion, TestRegion, TestRegion],
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  };
}

const context = ({ context: registry }: TestRegion) => ({
  registry,
  cipher: secretCipher(key, systemRandom),
});
const addUser = (region: TestRegion, name: string) =>
  createUser(context(region), { account, name, actor, path: "/", tags: {} });
const userIn = (region: TestRegion, name: string) =>
  findIdentity(region.metadata.read, "user", account, name);
const until = (what: string, ask: () => Promise<boolean>) => waitUntil(what, ask);

async function rowOf(region: TestRegion, name: string) {
  const row = await selectDocument(region.metadata.read, account, "iam-user", name);
  return row && { ...row, updated_at: 0 };
}

for (const [engine, openMetadata, available] of metadataStores) {
  describe.skipIf(!available)(`identities on ${engine}`, () => identities({ openMetadata }));
}

function identities(engine: FleetOptions): void {
  test("a user, its key and its end are known everywhere", async () => {
    await using world = await fleetOf(engine);
    const [first, second, third] = world.regions;
    const anna = await addUser(first, "Anna");
    const { id } = await createAccessKey(context(first), { account, name: "Anna", actor });
    for (const region of [second, third]) {
      await until("the key", async () => {
        const found = await findDocument(region.metadata.read, accessKeyKind, account, id);
        return found?.value.userId === anna.id;
      });
      expect(await userIn(region, "anna")).toEqual(anna);
    }
    await deactivate(second, id);
    await deleteUserWithKey(third, id);
    for (const region of world.regions) {
      await until("the end of the user", async () => (await userIn(region, "anna")) === undefined);
    }
    expect(await rowOf(first, "anna")).toEqual(await rowOf(third, "anna"));
  });

  async function deactivate(region: TestRegion, id: string) {
    await region.metadata.transaction((tx) =>
      changeDocument(region.context, tx, accessKeyKind, { account, name: id, actor }, (present) => {
        if (present === undefined) throw new Error("the key is not there");
        return { ...present, status: "Inactive" } as const;
      }),
    );
  }

  async function deleteUserWithKey(region: TestRegion, id: string) {
    await until("the deactivation", async () => {
      const found = await findDocument(region.metadata.read, accessKeyKind, account, id);
      return found?.value.status === "Inactive";
    });
    const target = { account, name: id, actor };
    await region.metadata.transaction((tx) =>
      changeDocument(region.context, tx, accessKeyKind, target, () => undefined),
    );
    await deleteUser(context(region), { account, name: "anna", actor });
  }

  test("what a region wrote before it died spreads by the others", async () => {
    await using world = await fleetOf(engine);
    const [first, second, third] = world.regions;
    third.stopServing();
    const anna = await addUser(first, "anna");
    await until("the user at one", async () => (await userIn(second, "anna")) !== undefined);
    first.stopServing();
    await first.replication.stop();
    third.serveAgain();
    await until("the user at the other", async () => (await userIn(third, "anna"))?.id === anna.id);
  });

  test("a region cut off goes on with what it knows, and catches up with everything", async () => {
    await using world = await fleetOf(engine);
    const [first, second, third] = world.regions;
    await addUser(first, "before");
    await until("the first user", async () => (await userIn(third, "before")) !== undefined);
    third.stopServing();
    // More than one message takes.
    for (let i = 0; i < 1100; i++) await addUser(i % 2 === 0 ? first : second, `user-${i}`);
    expect((await userIn(third, "before"))?.name).toBe("before");
    await addUser(third, "inside");
    await until(
      "news from the one cut off",
      async () => (await userIn(first, "inside")) !== undefined,
    );
    third.serveAgain();
    for (const region of world.regions) {
      for (const name of ["user-0", "user-1", "user-1098", "user-1099", "inside"]) {
        await until(name, async () => (await userIn(region, name)) !== undefined);
      }
    }
    await until("everybody up to date", async () =>
      world.regions.every(({ replication }) =>
        replication.documents?.progress().every(({ upToDate }) => upToDate),
      ),
    );
  });

  test("two regions that write the same user at once end with the same one", async () => {
    await using world = await fleetOf(engine);
    const [first, second] = world.regions;
    for (let round = 0; round < 10; round++) {
      const name = `user-${round}`;
      await Promise.all([addUser(first, name), addUser(second, name)]);
    }
    for (let round = 0; round < 10; round++) {
      await until("agreement", async () => {
        const rows = await Promise.all(
          world.regions.map((region) => rowOf(region, `user-${round}`)),
        );
        const found = rows.map((row) => row && JSON.stringify({ ...row, sequence: 0 }));
        return found[0] !== undefined && new Set(found).size === 1;
      });
    }
  });

  test("passing on ends: every region notes a change once", async () => {
    await using world = await fleetOf(engine);
    const [first] = world.regions;
    await addUser(first, "anna");
    for (const region of world.regions) {
      await until("the user", async () => (await userIn(region, "anna")) !== undefined);
    }
    await until("everybody up to date", async () =>
      world.regions.every(({ replication }) =>
        replication.documents?.progress().every(({ upToDate }) => upToDate),
      ),
    );
    for (const region of world.regions) {
      const changes = await selectChanges(region.metadata.read, 0, 1000);
      const ofAnna = changes.filter(({ detail }) => detail?.includes('"name":"anna"'));
      expect(ofAnna.map(({ kind, origin }) => [kind, origin])).toEqual([
        ["document_set", "us-east-1"],
      ]);
    }
  });

  test("regions with different installation keys take nothing, and say why", async () => {
    const other = systemRandom.bytes(32);
    await using world = await fleetOf({
      ...engine,
      installationKey: (region) => (region === "sa-east-1" ? other : key),
    });
    const [first, second, third] = world.regions;
    await addUser(first, "anna");
    await until("the user", async () => (await userIn(second, "anna")) !== undefined);
    const failure = await waitUntil(
      "the refusal",
      () =>
        first.replication.documents?.progress().find(({ region }) => region === "sa-east-1")
          ?.failure,
    );
    expect(failure).toEqual({
      code: "installation_key_mismatch",
      text: "us-east-1 and sa-east-1 do not have the same installation key",
    });
    expect(await userIn(third, "anna")).toBeUndefined();
  });

  test("a region restored to an older database gets back what it had", async () => {
    await using world = await fleetOf(engine);
    const [first, second] = world.regions;
    await addUser(first, "anna");
    await until("the user", async () => (await userIn(second, "anna")) !== undefined);
    // As a backup from before: the user and how far the others' documents had come are gone.
    await second.replication.stop();
    await second.metadata.transaction(async (tx) => {
      await tx.all("delete from documents where kind = 'iam-user'");
      await tx.all("delete from document_cursors");
    });
    expect(await userIn(second, "anna")).toBeUndefined();
    second.restartReplication();
    first.restartReplication();
    await until("the user again", async () => (await userIn(second, "anna")) !== undefined);
  });
}

describe("what another region sends", () => {
  const seal = documentSeal(key);
  const database = "6f1f3b64-8a3a-4f43-9d0a-0d7f2f9d3a10";
  const shaped = (name: string) =>
    JSON.stringify({
      ...{ name, path: "/", id: "AIDAEXAMPLE", createdAt: 1, tags: {}, groups: [] },
      ...{ inlinePolicies: {}, attachedPolicies: [] },
    });
  const document = (name: string, value: string | null, milliseconds = 1) => ({
    ...{ account, kind: "iam-user", name, owner: "", value },
    ...{ clock: formatHybridTimestamp(milliseconds, 0), origin: "sa-east-1" },
  });

  async function receiving() {
    const clock = manualClock();
    const world = await fleetOf({ clocks: { "us-east-1": clock }, idle: names });
    const [region] = world.regions;
    const send = (after: number, upTo: number, documents: ReturnType<typeof document>[]) =>
      region.replication.receiver.documents(
        "eu-west-1",
        seal.seal("eu-west-1", "us-east-1", { database, after, upTo, documents }),
      );
    return { world, region, send, clock };
  }

  test("counts as held only without a gap, and anew from the beginning", async () => {
    const { world, send } = await receiving();
    await using _ = world;
    const one = document("one", shaped("one"));
    expect(await send(0, 0, [])).toEqual({ held: 0, taken: 0, deferred: 0, skipped: 0 });
    expect(await send(5, 7, [one])).toEqual({ held: 0, taken: 1, deferred: 0, skipped: 0 });
    expect(await send(0, 7, [one])).toEqual({ held: 7, taken: 0, deferred: 0, skipped: 0 });
    expect((await send(7, 9, [])).held).toBe(9);
    expect((await send(3, 8, [])).held).toBe(9);
    expect((await send(0, 2, [])).held).toBe(2);
    expect((await send(0, 0, [])).held).toBe(2);
  });

  test("is left out when it is of an unknown kind or shape; the rest is taken", async () => {
    const { world, send, region } = await receiving();
    await using _ = world;
    const documents = [
      document("good", shaped("good")),
      document("no-groups", '{"name":"no-groups"}'),
      document("no-json", "{"),
      { ...document("other", "{}"), kind: "repository-policy" },
    ];
    expect(await send(0, 4, documents)).toEqual({ held: 4, taken: 1, deferred: 0, skipped: 3 });
    expect((await userIn(region, "good"))?.id).toBe("AIDAEXAMPLE");
    expect(await userIn(region, "no-groups")).toBeUndefined();
  });

  test("waits when its clock is too far ahead", async () => {
    const { world, send, region, clock } = await receiving();
    await using _ = world;
    const ahead = document("ahead", shaped("ahead"), clock.now() + 600_000);
    expect(await send(0, 1, [ahead])).toEqual({ held: 1, taken: 0, deferred: 1, skipped: 0 });
    expect(await userIn(region, "ahead")).toBeUndefined();
    clock.advance(600_000);
    expect(await send(0, 1, [ahead])).toEqual({ held: 1, taken: 1, deferred: 0, skipped: 0 });
  });

  test("is refused when it was changed, or meant for another region", async () => {
    const { world, region } = await receiving();
    await using _ = world;
    const batch = { database, after: 0, upTo: 1, documents: [document("one", shaped("one"))] };
    const receive = (sealed: { payload: string; proof: string }) =>
      region.replication.receiver.documents("eu-west-1", sealed);
    const sealed = seal.seal("eu-west-1", "us-east-1", batch);
    const payload = sealed.payload.replace("AIDAEXAMPLE", "AIDAEXAMPLF");
    const wrong = [
      { ...sealed, payload },
      { ...sealed, proof: "" },
      seal.seal("eu-west-1", "sa-east-1", batch),
      seal.seal("sa-east-1", "us-east-1", batch),
      documentSeal(systemRandom.bytes(32)).seal("eu-west-1", "us-east-1", batch),
    ];
    for (const each of wrong) {
      await expect(receive(each)).rejects.toMatchObject({ code: "installation_key_mismatch" });
    }
    expect(await userIn(region, "one")).toBeUndefined();
    expect(await receive(sealed)).toMatchObject({ taken: 1 });
  });

  test("is refused when it is no batch", async () => {
    const { world, region } = await receiving();
    await using _ = world;
    const good = document("one", shaped("one"));
    const bad = [
      {},
      { database, after: 3, upTo: 1, documents: [] },
      { database: "x", after: 0, upTo: 1, documents: [] },
      { database, after: -1, upTo: 1, documents: [] },
      { database, after: 0, upTo: 1, documents: [{ ...good, clock: "yesterday" }] },
      { database, after: 0, upTo: 1, documents: [{ ...good, account: "1" }] },
      { database, after: 0, upTo: 1, documents: [{ ...good, origin: "../.." }] },
      { database, after: 0, upTo: 1, documents: Array(501).fill(good) },
    ];
    for (const batch of bad) {
      const sealed = seal.seal("eu-west-1", "us-east-1", batch as never);
      const receiving = region.replication.receiver.documents("eu-west-1", sealed);
      await expect(receiving).rejects.toMatchObject({ code: "offer_invalid" });
    }
  });
});
