import { afterAll, beforeAll, expect, test } from "bun:test";
import { rootCredentials } from "../../tests/support/iam-client.ts";
import { pushImage } from "../../tests/support/push-image.ts";
import { type ServedConsole, serveConsole } from "../../tests/support/served-console.ts";

let served: ServedConsole;
let root: string;
const layers = [new TextEncoder().encode("layer")];

beforeAll(async () => {
  served = await serveConsole();
  root = await served.signIn(rootCredentials(served.endpoint));
});
afterAll(async () => {
  expect(served.endpoint.unforeseen).toEqual([]);
  await served[Symbol.asyncDispose]();
});

interface ServerEvent {
  readonly name: string;
  readonly id: number | undefined;
  readonly data: unknown;
}

/** Reads a stream as browsers do. */
async function listen(cookie: string, lastEventId?: number) {
  const controller = new AbortController();
  const response = await served.call(cookie, "GET", "events", {
    signal: controller.signal,
    ...(lastEventId !== undefined && { headers: { "Last-Event-ID": String(lastEventId) } }),
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    status: response.status,
    response,
    controller,
    /** The next event with one of the names; undefined when the stream has ended. */
    async next(...names: string[]): Promise<ServerEvent | undefined> {
      for (;;) {
        const end = text.indexOf("\n\n");
        if (end >= 0) {
          const fields = new Map(
            text
              .slice(0, end)
              .split("\n")
              .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
          );
          text = text.slice(end + 2);
          const name = fields.get("event");
          if (name === undefined || !names.includes(name)) continue;
          const id = fields.get("id");
          const data: unknown = JSON.parse(fields.get("data") ?? "null");
          return { name, data, id: id === undefined ? undefined : Number(id) };
        }
        const read = await reader?.read();
        if (read === undefined || read.done) return undefined;
        text += read.value;
      }
    },
  };
}

async function userWith(UserName: string, actions: readonly string[], Resource: string) {
  const iam = async (operation: string, body: object) =>
    (await served.call(root, "POST", `iam/${operation}`, { body })).json();
  const Statement = [{ Effect: "Allow", Action: actions, Resource }];
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement });
  await iam("CreateUser", { UserName });
  await iam("PutUserPolicy", { UserName, PolicyName: "p", PolicyDocument });
  const { AccessKey } = await iam("CreateAccessKey", { UserName });
  return { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey };
}

const push = (repository: string, tag: string) =>
  pushImage(served.endpoint.registry, { repository, tags: [tag], layers });

test("changes come together, and a listener that was away is told what it missed", async () => {
  const stream = await listen(root);
  expect(stream.response.headers.get("content-type")).toStartWith("text/event-stream");
  const hello = await stream.next("hello");
  expect(hello?.id).toBeNumber();
  expect(await stream.next("chart")).toMatchObject({ data: { region: "us-east-1" } });
  await push("team/app", "v1");
  const first = await stream.next("changes");
  expect(first?.data).toMatchObject({ repositories: ["team/app"] });
  stream.controller.abort();

  await push("team/app", "v2");
  await push("team/web", "v1");
  const again = await listen(root, first?.id);
  const missed = await again.next("changes");
  expect(missed?.data).toMatchObject({ repositories: ["team/app", "team/web"] });
  again.controller.abort();

  // From the future, as after a restored backup: everything is to be read anew.
  const strange = await listen(root, 999_999_999);
  expect((await strange.next("changes"))?.data).toEqual({ repositories: [], registry: true });
  strange.controller.abort();
});

test("a listener is told of nothing that it may not see", async () => {
  const own = "arn:aws:ecr:us-east-1:111122223333:repository/*";
  const blind = await served.signIn(await userWith("blind", ["ecr:ListImages"], "*"));
  expect((await listen(blind)).status).toBe(403);
  const cookie = await served.signIn(await userWith("viewer", ["ecr:DescribeRepositories"], own));
  const stream = await listen(cookie);
  expect(stream.status).toBe(200);
  await stream.next("hello");
  await push("team/seen", "v1");
  // No chart came before it: that permission is missing.
  const event = await stream.next("chart", "changes");
  expect(event).toMatchObject({ name: "changes", data: { repositories: ["team/seen"] } });
  stream.controller.abort();
});

test("nobody can hold all streams", async () => {
  const cookie = await served.signIn(rootCredentials(served.endpoint));
  const streams = await Promise.all(Array.from({ length: 8 }, () => listen(cookie)));
  for (const stream of streams) await stream.next("hello");
  const refused = await listen(cookie);
  expect(refused.status).toBe(429);
  for (const { controller } of streams) controller.abort();
});
