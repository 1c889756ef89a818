/**
 * A real server that is killed again and again in the middle of its deliveries: every change that
 * the journal has is delivered at least once, in order but for repetitions.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { CreateRepositoryCommand, ECRClient } from "@aws-sdk/client-ecr";
import {
  CreateApiDestinationCommand,
  CreateConnectionCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from "@aws-sdk/client-eventbridge";
import { selectChanges } from "../../src/metadata/queries/changes.ts";
import { sqliteMetadataStore } from "../../src/metadata/sqlite.ts";
import { signingSecret } from "../support/event-world.ts";
import { startServer } from "../support/server-process.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";
import { waitUntil } from "../support/wait-until.ts";
import { isSigned, startWebhookReceiver } from "../support/webhook-receiver.ts";

setDefaultTimeout(240_000);

const kills = 8;
const repositoriesPerLife = 25;

test("kill -9 in the middle of deliveries loses no event", async () => {
  using directory = disposable(temporaryDirectory());
  await using receiver = startWebhookReceiver();
  let answers = 0;
  receiver.answer(async () => {
    answers += 1;
    // Slow enough to be killed in the middle, and now and then unwilling.
    await Bun.sleep(5);
    return new Response(null, { status: answers % 40 === 0 ? 503 : 204 });
  });
  await using server = await startServer({
    dataDirectory: directory.path,
    flags: ["--set", `events.privateHosts=${receiver.host}`],
  });
  const { endpoint, region, credentials } = server;
  const connection = { endpoint, region, credentials };
  const ecr = new ECRClient({ ...connection, maxAttempts: 1 });
  const events = new EventBridgeClient(connection);
  const { ConnectionArn } = await events.send(
    new CreateConnectionCommand({
      ...{ Name: "hook", AuthorizationType: "API_KEY" },
      AuthParameters: {
        ApiKeyAuthParameters: { ApiKeyName: "webhook-signature", ApiKeyValue: signingSecret },
      },
    }),
  );
  const { ApiDestinationArn } = await events.send(
    new CreateApiDestinationCommand({
      ...{ Name: "hook", ConnectionArn, HttpMethod: "POST" },
      InvocationEndpoint: `http://${receiver.host}/`,
    }),
  );
  const EventPattern = JSON.stringify({ detail: { eventName: ["CreateRepository"] } });
  await events.send(new PutRuleCommand({ Name: "r", EventPattern }));
  await events.send(
    new PutTargetsCommand({ Rule: "r", Targets: [{ Id: "w", Arn: ApiDestinationArn ?? "" }] }),
  );

  const acknowledged: string[] = [];
  for (let life = 0; life < kills; life++) {
    const before = receiver.accepted.length;
    const pushing = Array.from({ length: repositoriesPerLife }, async (_, i) => {
      const repositoryName = `life-${life}/app-${i}`;
      await ecr.send(new CreateRepositoryCommand({ repositoryName }));
      acknowledged.push(repositoryName);
    });
    // Now: those that the kill cuts off fail before it has returned.
    const settled = Promise.allSettled(pushing);
    // Each life is killed at another point of its deliveries.
    await waitUntil("deliveries", () => receiver.accepted.length >= before + 1 + life * 2, {
      intervalMilliseconds: 1,
    });
    await server.kill();
    await settled;
    await server.start();
  }
  const delivered = () =>
    new Set(
      receiver.received.map(({ body }) => {
        return JSON.parse(body).data.detail.requestParameters.repositoryName as string;
      }),
    );
  const accepted = () => new Set(receiver.accepted);
  expect(acknowledged.length).toBeGreaterThan(kills);
  await waitUntil("every acknowledged change", () => {
    const names = delivered();
    return acknowledged.every((name) => names.has(name));
  });
  await server.stop();

  // Against the journal itself: also what was written and not acknowledged.
  const path = join(directory.path, "metadata.sqlite");
  const store = await sqliteMetadataStore({ path, now: Date.now() });
  const changes = (await selectChanges(store.read, 0, 10_000)).filter(
    ({ kind }) => kind === "repository_created",
  );
  const waiting = await store.read.all<{ event: string }>("select event from event_deliveries");
  await store.close();
  const open = waiting.map(({ event }) => JSON.parse(event).id as string);
  const ids = new Map(
    receiver.received.map(({ body }) => {
      const { id, data } = JSON.parse(body);
      return [data.detail.requestParameters.repositoryName as string, id as string];
    }),
  );
  const lost = changes.filter(({ repository }) => {
    const id = ids.get(repository);
    return id === undefined || !(accepted().has(id) || open.includes(id));
  });
  expect(lost.map(({ repository }) => repository)).toEqual([]);
  expect(changes.length).toBeGreaterThanOrEqual(acknowledged.length);
  expect(receiver.received.every((webhook) => isSigned(webhook, signingSecret))).toBe(true);

  // The first acceptances are in the order of the journal.
  const order = [...accepted()];
  const expected = changes
    .map(({ repository }) => ids.get(repository))
    .filter((id) => id !== undefined);
  expect(order).toEqual(expected.filter((id) => accepted().has(id)));
});

function disposable(directory: ReturnType<typeof temporaryDirectory>) {
  return { path: directory.path, [Symbol.dispose]: () => directory.remove() };
}
