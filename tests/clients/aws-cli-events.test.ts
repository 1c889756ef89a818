/** The unmodified AWS CLI against the events of a real server: rule, webhook, target, pattern, delivery. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { requirement } from "../support/require.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import { waitUntil } from "../support/wait-until.ts";
import {
  isSigned,
  startWebhookReceiver,
  type WebhookReceiver,
} from "../support/webhook-receiver.ts";

// Every call starts a Python of its own.
setDefaultTimeout(240_000);

const program = existsSync("/usr/bin/aws") ? "/usr/bin/aws" : Bun.which("aws");
const available = requirement("clients", program !== null, "aws (apt-get install awscli)");
const secret = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;

describe.skipIf(!available)(`${program}`, () => {
  let server: ServerProcess;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    receiver = startWebhookReceiver();
    server = await startServer({ flags: ["--set", `events.privateHosts=${receiver.host}`] });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  async function run(...parameters: string[]) {
    const given = ["--endpoint-url", server.endpoint, "--output", "json"];
    const child = Bun.spawn([program ?? "aws", ...parameters, ...given], {
      env: {
        PATH: process.env.PATH ?? "/usr/bin:/bin",
        HOME: "/nonexistent",
        ...(process.env.PYENV_ROOT !== undefined && { PYENV_ROOT: process.env.PYENV_ROOT }),
        AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
        AWS_DEFAULT_REGION: server.region,
        AWS_EC2_METADATA_DISABLED: "true",
        AWS_PAGER: "",
      },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [exitCode, stdout, stderr] = await Promise.all([
      child.exited,
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    return { exitCode, stdout, stderr };
  }

  async function events(...parameters: string[]) {
    const { exitCode, stdout, stderr } = await run("events", ...parameters);
    expect({ parameters, exitCode, stderr }).toEqual({ parameters, exitCode: 0, stderr: "" });
    return stdout === "" ? {} : JSON.parse(stdout);
  }

  test("a rule, a webhook and a pattern, and an event that arrives", async () => {
    const key = { ApiKeyName: "webhook-signature", ApiKeyValue: secret };
    const { ConnectionArn } = await events(
      ...["create-connection", "--name", "hook", "--authorization-type", "API_KEY"],
      ...["--auth-parameters", JSON.stringify({ ApiKeyAuthParameters: key })],
    );
    const { ApiDestinationArn } = await events(
      ...["create-api-destination", "--name", "hook", "--connection-arn", ConnectionArn],
      ...["--invocation-endpoint", `http://${receiver.host}/`, "--http-method", "POST"],
    );
    const pattern = JSON.stringify({
      source: ["aws.ecr"],
      detail: { requestParameters: { repositoryName: [{ prefix: "prod-" }] } },
    });
    const { RuleArn } = await events("put-rule", "--name", "prod", "--event-pattern", pattern);
    expect(RuleArn).toBe(`arn:aws:events:${server.region}:${server.account}:rule/prod`);
    const target = `Id=hook,Arn=${ApiDestinationArn}`;
    expect(await events("put-targets", "--rule", "prod", "--targets", target)).toEqual({
      ...{ FailedEntryCount: 0, FailedEntries: [] },
    });
    for (const repository of ["test-web", "prod-web"]) {
      const created = await run("ecr", "create-repository", "--repository-name", repository);
      expect(created.exitCode).toBe(0);
    }
    const webhook = await waitUntil("the webhook", () => receiver.received[0]);
    expect(isSigned(webhook, secret)).toBe(true);
    const { data } = JSON.parse(webhook.body);
    expect(data.detail.requestParameters.repositoryName).toBe("prod-web");
    const asked = ["test-event-pattern", "--event", JSON.stringify(data), "--event-pattern"];
    expect(await events(...asked, pattern)).toEqual({ Result: true });
    expect(await events(...asked, '{"source":["aws.ec2"]}')).toEqual({ Result: false });
    const { Rules } = await events("list-rules");
    expect(Rules.map((rule: { Name: string }) => rule.Name)).toEqual(["prod"]);
    const found = await events("list-rule-names-by-target", "--target-arn", ApiDestinationArn);
    expect(found.RuleNames).toEqual(["prod"]);
    const { Targets } = await events("list-targets-by-rule", "--rule", "prod");
    expect(Targets).toEqual([{ Id: "hook", Arn: ApiDestinationArn }]);
    await events("disable-rule", "--name", "prod");
    expect((await events("describe-rule", "--name", "prod")).State).toBe("DISABLED");
    await events("remove-targets", "--rule", "prod", "--ids", "hook");
    await events("delete-rule", "--name", "prod");
    const wrong = await run("events", "put-rule", "--name", "x", "--event-pattern", "{");
    expect(wrong.stderr).toContain("(InvalidEventPatternException) when calling the PutRule");
    expect(receiver.received).toHaveLength(1);
  });
});
