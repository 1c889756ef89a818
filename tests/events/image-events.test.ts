/** The events of what happens to images, in one region and between two. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { eventsOfChange } from "../../src/events/change-events.ts";
import type { EventEnvelope } from "../../src/events/event.ts";
import { parseDigest } from "../../src/image/digest.ts";
import { selectChanges } from "../../src/metadata/queries/changes.ts";
import type { RegistryContext } from "../../src/registry/context.ts";
import { deleteManifest } from "../../src/registry/delete-manifest.ts";
import { deleteTag } from "../../src/registry/delete-tag.ts";
import { putTagMutability } from "../../src/registry/put-tag-mutability.ts";
import { setStorageClass } from "../../src/registry/set-storage-class.ts";
import { noise, pushImage, testAccount } from "../support/push-image.ts";
import { ruleTo, startFleet } from "../support/regions.ts";
import { openRegistry } from "../support/registry.ts";
import { allComplete } from "../support/replicated.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(60_000);

const actor = `arn:aws:iam::${testAccount}:root`;

async function eventsOf({ metadata, region }: RegistryContext): Promise<EventEnvelope[]> {
  const events: EventEnvelope[] = [];
  for (const change of await selectChanges(metadata.read, 0, 1000)) {
    events.push(...eventsOfChange(region, change));
  }
  return events;
}

const imageEvents = async (context: RegistryContext) =>
  (await eventsOf(context)).filter((event) => event["detail-type"].startsWith("ECR "));

function digestOf(text: string) {
  const digest = parseDigest(text);
  if (digest === undefined) throw new Error("no digest");
  return digest;
}

test("pushes, deletes, archives and restores have ECR's events", async () => {
  await using registry = await openRegistry();
  const { context } = registry;
  const layers = [noise("a", 100)];
  const image = await pushImage(context, { repository: "web", tags: ["1", "2"], layers });
  const address = { account: testAccount, repository: "web", actor };
  await setStorageClass(context, { ...address, digest: image.digest }, "ARCHIVE");
  await setStorageClass(context, { ...address, digest: image.digest }, "STANDARD");
  await deleteTag(context, { ...address, tag: "1" });
  await deleteManifest(context, { ...address, digest: digestOf(image.digest) });
  const events = await imageEvents(context);
  const common = {
    ...{ result: "SUCCESS", "repository-name": "web", "image-digest": image.digest },
    "manifest-media-type": image.mediaType,
  };
  const shown = events.map(({ detail }) => [
    detail["action-type"],
    detail["image-tag"] ?? detail["target-storage-class"],
  ]);
  expect(shown).toEqual([
    ...[
      ["PUSH", "1"],
      ["PUSH", "2"],
    ],
    ["UPDATE_STORAGE_CLASS", "ARCHIVE"],
    ["UPDATE_STORAGE_CLASS", "STANDARD"],
    ["DELETE", "1"],
    ["DELETE", "2"],
  ]);
  // What the manifest was is told although it is gone.
  for (const event of events) {
    expect(event).toMatchObject({
      ...{ version: "0", source: "aws.ecr", account: testAccount, region: "us-east-1" },
      ...{ resources: [], "detail-type": "ECR Image Action", detail: common },
    });
    expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(event.id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  }
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  // The same change makes the same event.
  expect(await imageEvents(context)).toEqual(events);
});

test("referrers have an event of their own", async () => {
  await using registry = await openRegistry();
  const { context } = registry;
  const layers = [noise("a", 100)];
  const subject = await pushImage(context, { repository: "web", tags: ["1"], layers });
  const referrer = await pushImage(context, { repository: "web", layers, subject });
  const address = { account: testAccount, repository: "web", actor };
  await deleteManifest(context, { ...address, digest: digestOf(referrer.digest) });
  const events = (await imageEvents(context)).slice(1);
  for (const [i, action] of ["PUSH", "DELETE"].entries()) {
    expect(events[i]).toMatchObject({
      "detail-type": "ECR Referrer Action",
      detail: { "action-type": action, "image-digest": referrer.digest },
    });
    expect(events[i]?.detail).not.toHaveProperty("image-tag");
  }
});

test("a replication has an event at the destination and at the source", async () => {
  await using fleet = await startFleet(["us-east-1", "eu-west-1"]);
  const source = fleet.region("us-east-1");
  const replica = fleet.region("eu-west-1");
  await source.configure([ruleTo("eu-west-1")]);
  const layers = [noise("a", 100)];
  const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
  await allComplete(source, "web", image.digest);
  const replicated = (event: EventEnvelope) => event["detail-type"] === "ECR Replication Action";
  const detail = {
    ...{ result: "SUCCESS", "repository-name": "web", "image-digest": image.digest },
    ...{ "action-type": "REPLICATE", "image-tag": "1", "source-region": "us-east-1" },
    "source-account": testAccount,
  };
  const arrivals = (await imageEvents(replica.context)).filter(({ id }) => id !== "");
  expect(arrivals).toHaveLength(1);
  expect(arrivals[0]).toMatchObject({
    ...{ "detail-type": "ECR Replication Action", region: "eu-west-1" },
    resources: [`arn:aws:ecr:eu-west-1:${testAccount}:repository/web`],
    detail,
  });
  const departures = (await imageEvents(source.context)).filter(replicated);
  expect(departures).toHaveLength(1);
  expect(departures[0]?.detail).toEqual({
    ...detail,
    ...{ "portolan-side": "source", "portolan-destination-region": "eu-west-1" },
    "portolan-destination-account": testAccount,
  });

  // A refusal for good has its reason.
  const address = { account: testAccount, repository: "web" };
  await putTagMutability(
    replica.context,
    { ...address, actor },
    { tagMutability: "IMMUTABLE", exclusionFilters: [] },
  );
  const other = [noise("b", 100)];
  await pushImage(source.context, { repository: "web", tags: ["1"], layers: other });
  const failed = await waitUntil("the failure", async () =>
    (await imageEvents(source.context)).filter(replicated).at(1),
  );
  expect(failed.detail).toMatchObject({
    ...{ result: "FAILED", "portolan-failure-code": "tag_immutable" },
    ...{ "portolan-failure-side": "destination", "image-tag": "1" },
  });
  expect(String(failed.detail["portolan-failure-text"])).toContain("may not be moved");
});
