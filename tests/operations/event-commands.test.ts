/** `portolan events` beside a server, and the events that the server delivers to a file and to its output. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CreateRepositoryCommand, ECRClient } from "@aws-sdk/client-ecr";
import * as sdk from "@aws-sdk/client-eventbridge";
import { attemptCommand } from "../support/command.ts";
import { signingSecret } from "../support/event-world.ts";
import { portolanCommand, type ServerProcess, startServer } from "../support/server-process.ts";
import { waitUntil } from "../support/wait-until.ts";
import { startWebhookReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts";

setDefaultTimeout(120_000);

let server: ServerProcess;
let receiver: WebhookReceiver;
let events: sdk.EventBridgeClient;
let ecr: ECRClient;

beforeAll(async () => {
  receiver = startWebhookReceiver();
  receiver.answer(() => new Response("no", { status: 400 }));
  const set = ["--set", `events.privateHosts=${receiver.host}`, "--set", "alarms.interval=1s"];
  server = await startServer({ flags: set });
  const { endpoint, region, credentials } = server;
  events = new sdk.EventBridgeClient({ endpoint, region, credentials });
  ecr = new ECRClient({ endpoint, region, credentials });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await receiver[Symbol.asyncDispose]();
});

const create = (repositoryName: string) =>
  ecr.send(new CreateRepositoryCommand({ repositoryName }));

async function portolan(...command: string[]) {
  const given = ["--data", server.dataDirectory, "--region", server.region];
  return attemptCommand([...portolanCommand(), "events", ...command, ...given]);
}
const json = async (...command: string[]) => {
  const { stdout, stderr, exitCode } = await portolan(...command, "--json");
  // Without it nobody would know why there is nothing to read.
  if (stdout === "") throw new Error(`${command.join(" ")} ended with ${exitCode}: ${stderr}`);
  return JSON.parse(stdout);
};

test("events reach a file and the server's output, and tail shows them", async () => {
  const base = `arn:aws:portolan:${server.region}:${server.account}`;
  const EventPattern = JSON.stringify({ detail: { eventName: ["CreateRepository"] } });
  await events.send(new sdk.PutRuleCommand({ Name: "files", EventPattern }));
  await events.send(
    new sdk.PutTargetsCommand({
      Rule: "files",
      Targets: [
        { Id: "file", Arn: `${base}:file/created` },
        { Id: "output", Arn: `${base}:standard-output`, InputPath: "$.detail.eventName" },
      ],
    }),
  );
  await create("one");
  const path = join(server.dataDirectory, "events", server.account, "created.jsonl");
  const line = await waitUntil("the file", () => {
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    return text.endsWith("\n") && text;
  });
  const event = JSON.parse(line);
  expect(event.detail.requestParameters.repositoryName).toBe("one");
  await waitUntil("the output", () => server.log().includes('"event":"CreateRepository"'));
  const pattern = JSON.stringify({ id: [event.id] });
  const tail = await portolan("tail", "--json", "-n", "100", "--pattern", pattern);
  expect(JSON.parse(tail.stdout)).toEqual(event);
  const lines = (await portolan("tail", "-n", "1")).stdout;
  expect(lines).toContain("CreateRepository  one");
  expect((await portolan("tail", "--pattern", "{")).exitCode).toBe(2);
  const rules = await json("rules");
  expect(rules[0]).toMatchObject({
    ...{ name: "files", isEnabled: true },
    targets: [{ id: "file", waiting: 0 }, { id: "output" }],
  });
  expect((await portolan("rules")).stdout).toContain("delivered");
});

test("dead letters are listed, shown, replayed and deleted, and raise an alarm", async () => {
  const { ConnectionArn } = await events.send(
    new sdk.CreateConnectionCommand({
      ...{ Name: "hook", AuthorizationType: "API_KEY" },
      AuthParameters: {
        ApiKeyAuthParameters: { ApiKeyName: "webhook-signature", ApiKeyValue: signingSecret },
      },
    }),
  );
  const { ApiDestinationArn } = await events.send(
    new sdk.CreateApiDestinationCommand({
      ...{ Name: "hook", ConnectionArn, HttpMethod: "POST" },
      InvocationEndpoint: `http://${receiver.host}/`,
    }),
  );
  const EventPattern = JSON.stringify({ detail: { eventName: ["CreateRepository"] } });
  await events.send(new sdk.PutRuleCommand({ Name: "hooks", EventPattern }));
  await events.send(
    new sdk.PutTargetsCommand({
      Rule: "hooks",
      Targets: [{ Id: "w", Arn: ApiDestinationArn ?? "" }],
    }),
  );
  await create("two");
  await create("three");
  const list = () => json("dead-letters", "list", "--rule", "hooks");
  const letters = await waitUntil("dead letters", async () => {
    const found = await list();
    return found.length === 2 && found;
  });
  expect(letters[0]).toMatchObject({ target: "w", code: "status_refused", attempts: 1 });
  expect((await portolan("dead-letters", "list")).stdout).toContain("the receiver answered 400");
  const shown = await portolan("dead-letters", "show", letters[0].id);
  expect(JSON.parse(shown.stdout).event).toEqual(letters[0].event);
  const alarms = await waitUntil("the alarm", async () => {
    const found = await json("alarms");
    return found.length > 0 && found;
  });
  expect(alarms[0]).toMatchObject({ name: "dead-letters", isRaised: true });
  expect((await portolan("alarms")).exitCode).toBe(1);
  const metrics = await fetch(`${server.endpoint}/metrics`, {
    headers: { authorization: server.authorization },
  });
  expect(await metrics.text()).toContain('portolan_alarm_raised{alarm="dead-letters"} 1');

  receiver.answer();
  const replayed = await json("dead-letters", "replay", letters[0].id);
  expect(replayed).toEqual({ done: 1, failed: [] });
  await waitUntil("the replay", () => receiver.accepted.includes(letters[0].event.id));
  expect((await portolan("dead-letters", "delete", "--all", "--rule", "hooks")).stdout).toContain(
    "1 dead letter is deleted",
  );
  expect(await list()).toEqual([]);
  expect((await portolan("dead-letters", "replay", letters[0].id)).exitCode).toBe(1);
  expect((await portolan("dead-letters", "replay")).exitCode).toBe(2);
  await waitUntil("the alarm's end", async () => (await portolan("alarms")).exitCode === 0);
  const changes = await portolan("tail", "--json", "--pattern", '{"source":["portolan"]}');
  const states = changes.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).detail.state.value);
  expect(states).toEqual(["ALARM", "OK"]);
});
