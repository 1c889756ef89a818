/** The server compares its destinations by itself, keeps what came out, and does nothing twice. */
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Digest } from "../../src/image/digest.ts";
import { deleteManifest } from "../../src/registry/delete-manifest.ts";
import { silentLog } from "../../src/replication/log.ts";
import {
  storedVerifications,
  type VerificationOutcome,
} from "../../src/replication/verification/stored-verifications.ts";
import {
  startVerificationSchedule,
  type VerificationScheduleOptions,
  verifyDue,
} from "../../src/replication/verification/verification-schedule.ts";
import { noise, pushImage, testAccount } from "../support/push-image.ts";
import { ruleTo, startFleet } from "../support/regions.ts";
import { allComplete } from "../support/replicated.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(60_000);

async function world() {
  const fleet = await startFleet(["us-east-1", "eu-west-1"]);
  const [source, replica] = [fleet.region("us-east-1"), fleet.region("eu-west-1")];
  await source.configure([ruleTo("eu-west-1")]);
  const image = await pushImage(source.context, {
    ...{ repository: "web", tags: ["1"], layers: [noise("a", 500)] },
  });
  await allComplete(source, "web", image.digest);
  const outcomes: VerificationOutcome[] = [];
  const options: VerificationScheduleOptions = {
    context: source.context,
    verify: (verification) => source.replication.verify(verification),
    isComparable: (destination) => source.replication.isComparable(destination),
    intervalMilliseconds: 3_600_000,
    log: silentLog,
    onOutcome: (_, outcome) => outcomes.push(outcome),
  };
  const stored = () => storedVerifications(source.metadata.read);
  return { fleet, source, replica, image, options, outcomes, stored };
}

test("a comparison is kept, and not repeated within half an interval", async () => {
  const { fleet, options, outcomes, stored } = await world();
  await using _ = fleet;
  const { signal } = new AbortController();
  await verifyDue(options, signal);
  await verifyDue(options, signal);
  expect(outcomes).toHaveLength(1);
  const [kept] = await stored();
  expect(kept).toMatchObject({
    account: testAccount,
    destination: { region: "eu-west-1", registryId: testAccount },
    outcome: { report: { wrong: 0, tags: 1 } },
  });
});

test("what is wrong is kept with its differences, and nothing is repaired unasked", async () => {
  const { fleet, replica, image, options, outcomes, stored } = await world();
  await using _ = fleet;
  await deleteManifest(replica.context, {
    ...{ account: testAccount, repository: "web", actor: `arn:aws:iam::${testAccount}:root` },
    digest: image.digest as Digest,
  });
  const { signal } = new AbortController();
  for (let i = 0; i < 2; i++) await verifyDue({ ...options, intervalMilliseconds: 0 }, signal);
  expect(outcomes).toMatchObject([{ report: { wrong: 1 } }, { report: { wrong: 1 } }]);
  const [kept] = await stored();
  expect(kept?.outcome).toMatchObject({
    report: { counts: { missing: 1, newer: 1 }, truncated: false },
  });
});

test("that there is no result is kept too, and the schedule goes on until it is stopped", async () => {
  const { fleet, replica, options, outcomes, stored } = await world();
  await using _ = fleet;
  replica.stopServing();
  const schedule = startVerificationSchedule({ ...options, intervalMilliseconds: 20 });
  await waitUntil("a comparison without result", () => outcomes.length > 0);
  expect((await stored())[0]?.outcome).toMatchObject({
    failure: { code: "destination_unreachable" },
  });
  replica.serveAgain();
  await waitUntil("a result", () => outcomes.some((outcome) => "report" in outcome));
  await schedule.stop();
  const count = outcomes.length;
  await verifyDue(options, AbortSignal.abort());
  expect(outcomes).toHaveLength(count);
});
