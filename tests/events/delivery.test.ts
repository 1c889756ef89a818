/** Deliveries on every engine: order, retries, dead letters, isolation, crashes. */
import { describe, expect, test } from "bun:test";
import {
  discardDeadLetter,
  listDeadLetters,
  replayDeadLetter,
} from "../../src/events/dead-letters.ts";
import { removeTargets } from "../../src/events/rules.ts";
import { selectLanes } from "../../src/metadata/queries/event-deliveries.ts";
import {
  type EventWorldOptions,
  eventAccount,
  fileTarget,
  openEventWorld,
  signingSecret,
} from "../support/event-world.ts";
import { metadataStores } from "../support/metadata-stores.ts";
import { isSigned, startWebhookReceiver } from "../support/webhook-receiver.ts";

const created = { detail: { eventName: ["CreateRepository"] } };
const names = (events: readonly { detail: Record<string, unknown> }[] | undefined) =>
  (events ?? []).map(
    ({ detail }) => (detail.requestParameters as { repositoryName: string }).repositoryName,
  );

for (const [engine, openMetadata, available] of metadataStores) {
  describe.skipIf(!available)(`events on ${engine}`, () => {
    const open = (options: EventWorldOptions = {}) => openEventWorld({ openMetadata, ...options });
    const letters = (world: Awaited<ReturnType<typeof open>>) =>
      listDeadLetters(world.registry.context.metadata.read, { limit: 100 });

    test("go to the targets of the rules that match, in the order of the journal", async () => {
      await using world = await open();
      await world.rule("all", created, fileTarget("one"), fileTarget("two"));
      await world.rule("none", { source: ["aws.ec2"] }, fileTarget("three"));
      await world.createRepositories("c", "a", "b");
      await world.settle();
      expect(names(world.lines.one)).toEqual(["c", "a", "b"]);
      expect(names(world.lines.two)).toEqual(["c", "a", "b"]);
      expect(world.lines.three).toBeUndefined();
      expect(await world.metric("portolan_events_matched_total")).toBe(3);
    });

    test("that failed are tried again before what came later, and are not lost or doubled", async () => {
      let failing = true;
      await using world = await open({
        onLine() {
          if (failing) throw new Error("disk full");
        },
      });
      await world.rule("r", created, fileTarget("one"));
      await world.createRepositories("a", "b");
      await world.settle();
      const [lane] = await selectLanes(world.registry.context.metadata.read);
      expect(lane).toMatchObject({ waiting: 2, attempts: 1, failure_code: "write_failed" });
      failing = false;
      // Not due yet.
      await world.settle();
      expect(world.lines.one).toBeUndefined();
      world.registry.clock.advance(1000);
      await world.settle();
      expect(names(world.lines.one)).toEqual(["a", "b"]);
      const [after] = await selectLanes(world.registry.context.metadata.read);
      expect(after).toMatchObject({ waiting: 0, attempts: 0, failing_since: null });
    });

    test("become dead letters after all attempts, which can be read, replayed and deleted", async () => {
      let failing = true;
      await using world = await open({
        onLine() {
          if (failing) throw new Error("disk full");
        },
      });
      await world.rule("r", created, fileTarget("one", { attemptsLimit: 2 }));
      await world.createRepositories("a", "b");
      for (let i = 0; i < 12; i++) {
        await world.settle();
        world.registry.clock.advance(10 * 60_000);
      }
      const dead = await letters(world);
      expect(dead.map(({ code, attempts }) => [code, attempts])).toEqual([
        ...[
          ["too_many_attempts", 3],
          ["too_many_attempts", 3],
        ],
      ]);
      expect(names(dead.map(({ event }) => event))).toEqual(["a", "b"]);
      expect(world.warnings).toContain("an event could not be delivered");
      failing = false;
      const { context } = world.registry;
      await replayDeadLetter(context, dead[0]?.id ?? "");
      await discardDeadLetter(context, dead[1]?.id ?? "");
      await world.settle();
      expect(names(world.lines.one)).toEqual(["a"]);
      expect(await letters(world)).toEqual([]);
      expect(replayDeadLetter(context, dead[0]?.id ?? "")).rejects.toThrow("no dead letter");
    });

    test("that are too old become dead letters", async () => {
      await using world = await open({
        onLine() {
          throw new Error("disk full");
        },
      });
      await world.rule("r", created, fileTarget("one", { ageLimitMilliseconds: 3600_000 }));
      await world.createRepositories("a");
      await world.settle();
      world.registry.clock.advance(3600_000);
      await world.settle();
      expect((await letters(world)).map(({ code }) => code)).toEqual(["too_old"]);
      world.registry.clock.advance(15 * 24 * 3600_000);
      expect(await world.events.expire()).toBe(1);
    });

    test("are bounded: the oldest of a queue that is full become dead letters, and are cut", async () => {
      await using world = await open({
        settings: { waitingLimit: 3, deadLettersLimit: 2 },
        onLine() {
          throw new Error("disk full");
        },
      });
      await world.rule("r", created, fileTarget("one"));
      await world.createRepositories("a", "b", "c", "d", "e", "f");
      await world.settle();
      const [lane] = await selectLanes(world.registry.context.metadata.read);
      expect(lane?.waiting).toBe(3);
      const dead = await letters(world);
      expect(dead.map(({ code }) => code)).toEqual(["queue_full", "queue_full"]);
      expect(await world.metric("portolan_event_dead_letters_cut_total")).toBe(1);
    });

    test("survive a crash between any two steps", async () => {
      await using world = await open();
      await world.rule("r", created, fileTarget("one"));
      await world.createRepositories("a", "b");
      // The process that saw them is gone before it did anything; the next begins from the database.
      const second = world.restarted();
      await second.tick();
      await second.settled();
      expect(names(world.lines.one)).toEqual(["a", "b"]);
      const third = world.restarted();
      await third.tick();
      await third.settled();
      expect(names(world.lines.one)).toEqual(["a", "b"]);
    });

    test("make no deliveries twice when two nodes make them at once", async () => {
      await using world = await open();
      await world.rule("r", created, fileTarget("one"));
      const other = world.restarted();
      await other.tick();
      const all = Array.from({ length: 40 }, (_, i) => `r${String(i).padStart(2, "0")}`);
      const pushing = world.createRepositories(...all);
      for (let i = 0; i < 20; i++) await Promise.all([world.events.tick(), other.tick()]);
      await pushing;
      await world.settle();
      await other.settled();
      await world.settle();
      expect(names(world.lines.one)).toEqual(all);
    });

    test("that wait for a target go with it", async () => {
      await using world = await open({
        onLine() {
          throw new Error("disk full");
        },
      });
      await world.rule("r", created, fileTarget("one"));
      await world.createRepositories("a");
      await world.settle();
      const address = { account: eventAccount, name: "r", actor: "test" };
      expect(await removeTargets(world.registry.context, address, ["one", "two"])).toEqual(["two"]);
      expect(await selectLanes(world.registry.context.metadata.read)).toEqual([]);
    });

    test("are sent as signed CloudEvents", async () => {
      await using receiver = startWebhookReceiver();
      await using world = await open({ privateHosts: [receiver.host] });
      const arn = await world.webhook("hook", `http://${receiver.host}/in`);
      await world.rule("r", created, { id: "w", arn });
      await world.createRepositories("a");
      await world.settle();
      const [webhook] = receiver.received;
      if (webhook === undefined) throw new Error(`nothing came: ${world.warnings}`);
      expect(webhook).toMatchObject({ path: "/in", method: "POST" });
      expect(webhook.headers["content-type"]).toBe("application/cloudevents+json; charset=utf-8");
      expect(isSigned(webhook, signingSecret)).toBe(true);
      expect(isSigned({ ...webhook, body: `${webhook.body} ` }, signingSecret)).toBe(false);
      const body = JSON.parse(webhook.body);
      expect(body).toMatchObject({
        ...{ specversion: "1.0", type: "AWS API Call via CloudTrail" },
        source: `urn:portolan:us-east-1:${eventAccount}`,
        data: { source: "aws.ecr", region: "us-east-1", detail: { eventName: "CreateRepository" } },
      });
      expect(body.id).toBe(webhook.headers["webhook-id"]);
      expect(JSON.stringify(world.warnings)).not.toContain(signingSecret);
    });
  });
}
