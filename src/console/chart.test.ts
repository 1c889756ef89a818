import { expect, test } from "bun:test";
import { PutReplicationConfigurationCommand } from "@aws-sdk/client-ecr";
import { ecrClient } from "../../tests/support/ecr-client.ts";
import { rootCredentials } from "../../tests/support/iam-client.ts";
import { pushImage } from "../../tests/support/push-image.ts";
import { serveConsole } from "../../tests/support/served-console.ts";
import type { ChangeObserver } from "../registry/context.ts";
import { replicationObserver } from "../replication/observer.ts";

test("the chart tells the routes' states, and what is nowhere else yet", async () => {
  await using served = await serveConsole();
  const { registry } = served.endpoint;
  const { region, clock, random } = registry;
  const observers = registry.observers as ChangeObserver[];
  observers.push(replicationObserver({ region, clock, random, wake() {} }));
  const account = "111122223333";
  const destinations = ["eu-west-1", "sa-east-1", "nowhere-1"].map((region) => ({
    region,
    registryId: account,
  }));
  const ecr = ecrClient(served.endpoint, { credentials: rootCredentials(served.endpoint) });
  await ecr.send(
    new PutReplicationConfigurationCommand({
      replicationConfiguration: {
        rules: [
          { destinations, repositoryFilters: [{ filter: "prod", filterType: "PREFIX_MATCH" }] },
        ],
      },
    }),
  );
  const flow = { images: 0, bytes: 0 };
  served.links = [
    { region: "eu-west-1", unreachableSince: 5, flow },
    { region: "sa-east-1", unreachableSince: undefined, flow: { images: 2, bytes: 9 } },
  ];
  const cookie = await served.signIn(rootCredentials(served.endpoint));
  const chart = async () => (await served.call(cookie, "GET", "chart")).json();
  expect((await chart()).routes).toMatchObject([
    { region: "eu-west-1", state: "unreachable", unreachableSince: 5, backlogImages: 0 },
    { region: "sa-east-1", state: "flowing", sentImages: 2, sentBytes: 9 },
    { region: "nowhere-1", state: "unknown_region" },
  ]);
  expect((await chart()).loss).toEqual({ images: 0, bytes: 0, repositoriesWithoutRule: 0 });

  const layers = [new TextEncoder().encode("layer")];
  await pushImage(registry, { repository: "prod-app", tags: ["v1"], layers });
  await pushImage(registry, { repository: "test-app", tags: ["v1"], layers });
  const after = await chart();
  expect(after.routes).toMatchObject([
    { region: "eu-west-1", backlogImages: 1, hasRule: true },
    { region: "sa-east-1", backlogImages: 1 },
    { region: "nowhere-1", backlogImages: 1 },
  ]);
  expect(after.loss).toMatchObject({ images: 1, repositoriesWithoutRule: 1 });
  expect(after.loss.oldestPushedAt).toBeNumber();
  expect(after.loss.bytes).toBeGreaterThan(0);
});
