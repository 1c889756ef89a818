/** Alarms on a real fleet: a destination goes away, and comes back. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { alarmUnits } from "../../src/events/alarms.ts";
import { eventsOfChange } from "../../src/events/change-events.ts";
import { type AlarmsOptions, storedAlarms, watchAlarms } from "../../src/events/watch-alarms.ts";
import { selectChanges } from "../../src/metadata/queries/changes.ts";
import { noise, pushImage, testAccount } from "../support/push-image.ts";
import { ruleTo, startFleet } from "../support/regions.ts";
import { allComplete } from "../support/replicated.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(60_000);

test("lag and an unreachable destination raise alarms, which end when it is back", async () => {
  await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
  const source = fleet.region("us-east-1");
  const replica = fleet.region("eu-west-1");
  await source.configure([ruleTo("eu-west-1")]);
  const { context } = source;
  const off = Object.fromEntries(Object.keys(alarmUnits).map((kind) => [kind, undefined]));
  const options: AlarmsOptions = {
    context,
    account: testAccount,
    thresholds: {
      ...(off as AlarmsOptions["thresholds"]),
      "replication-lag": 0.2,
      "destination-unreachable": 0.1,
    },
    log: { info() {}, warn() {} },
  };
  const alarms = watchAlarms(options);
  const raised = async () => {
    await alarms.look();
    const stored = await storedAlarms(context.metadata.read);
    return stored.filter(({ isRaised }) => isRaised).map(({ name }) => name);
  };
  expect(await raised()).toEqual([]);
  replica.stopServing();
  const layers = [noise("a", 100)];
  const image = await pushImage(context, { repository: "web", tags: ["1"], layers });
  const expected = [
    `destination-unreachable eu-west-1`,
    `replication-lag eu-west-1/${testAccount}`,
  ];
  await waitUntil("both alarms", async () => (await raised()).join() === expected.join());
  replica.serveAgain();
  await allComplete(source, "web", image.digest);
  await waitUntil("their end", async () => (await raised()).length === 0);
  const changes = await selectChanges(context.metadata.read, 0, 1000);
  const events = changes
    .flatMap((change) => eventsOfChange("us-east-1", change))
    .filter((event) => event["detail-type"] === "Portolan Alarm State Change");
  for (const alarmName of expected) {
    const states = events.filter(({ detail }) => detail.alarmName === alarmName);
    expect(states.map(({ detail }) => (detail.state as { value: string }).value)).toEqual([
      ...["ALARM", "OK"],
    ]);
    expect(states[0]).toMatchObject({
      ...{ source: "portolan", account: testAccount },
      detail: { previousState: { value: "OK" }, configuration: { threshold: expect.any(Number) } },
    });
  }
  // One that is switched off while it is raised ends too.
  replica.stopServing();
  await pushImage(context, { repository: "web", tags: ["2"], layers });
  await waitUntil("an alarm", async () => (await raised()).length > 0);
  const none = off as AlarmsOptions["thresholds"];
  await watchAlarms({ ...options, thresholds: none }).look();
  const after = await storedAlarms(context.metadata.read);
  expect(after.filter(({ isRaised }) => isRaised)).toEqual([]);
  replica.serveAgain();
});
