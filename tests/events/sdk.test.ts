/** AWS's own client of EventBridge: rules, targets, webhooks, patterns, errors. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as sdk from "@aws-sdk/client-eventbridge";
import { type AwsEndpoint, startAwsEndpoint } from "../support/aws-endpoint.ts";
import { refusal } from "../support/ecr-client.ts";
import { signingSecret } from "../support/event-world.ts";
import { allow, userWith } from "../support/iam-client.ts";

let endpoint: AwsEndpoint;
let client: sdk.EventBridgeClient;
let base: string;

beforeAll(async () => {
  endpoint = await startAwsEndpoint({ privateHosts: ["hooks.internal"] });
  const { url, region, root, account } = endpoint;
  base = `arn:aws:events:${region}:${account}`;
  client = new sdk.EventBridgeClient({
    ...{ endpoint: url, region, maxAttempts: 1 },
    credentials: { accessKeyId: root.id, secretAccessKey: root.secretAccessKey },
  });
});
afterAll(async () => {
  expect(endpoint.unforeseen).toEqual([]);
  await endpoint[Symbol.asyncDispose]();
});

const EventPattern = JSON.stringify({ source: ["aws.ecr"] });
const rule = (Name: string) => client.send(new sdk.PutRuleCommand({ Name, EventPattern }));
const fileArn = (name: string) =>
  `arn:aws:portolan:${endpoint.region}:${endpoint.account}:file/${name}`;

describe("rules", () => {
  test("are put, described, listed in pages, switched and deleted", async () => {
    const put = new sdk.PutRuleCommand({
      ...{ Name: "first", EventPattern, Description: "all", Tags: [{ Key: "team", Value: "a" }] },
    });
    expect((await client.send(put)).RuleArn).toBe(`${base}:rule/first`);
    await rule("second");
    await rule("third");
    const described = await client.send(new sdk.DescribeRuleCommand({ Name: "first" }));
    expect(described).toMatchObject({
      ...{ Name: "first", Arn: `${base}:rule/first`, EventPattern, State: "ENABLED" },
      ...{ Description: "all", EventBusName: "default", CreatedBy: endpoint.account },
    });
    await client.send(new sdk.DisableRuleCommand({ Name: "first" }));
    const disabled = await client.send(new sdk.DescribeRuleCommand({ Name: "first" }));
    expect(disabled.State).toBe("DISABLED");
    await client.send(new sdk.EnableRuleCommand({ Name: "first", EventBusName: "default" }));
    const first = await client.send(new sdk.ListRulesCommand({ Limit: 2 }));
    expect(first.Rules?.map(({ Name }) => Name)).toEqual(["first", "second"]);
    const { NextToken } = first;
    const second = await client.send(new sdk.ListRulesCommand({ Limit: 2, NextToken }));
    expect(second.Rules?.map(({ Name }) => Name)).toEqual(["third"]);
    expect(second.NextToken).toBeUndefined();
    const named = await client.send(new sdk.ListRulesCommand({ NamePrefix: "th" }));
    expect(named.Rules).toHaveLength(1);
    await client.send(new sdk.DeleteRuleCommand({ Name: "third" }));
    // As EventBridge: what is not there is deleted.
    await client.send(new sdk.DeleteRuleCommand({ Name: "third" }));
    const gone = await refusal(client.send(new sdk.DescribeRuleCommand({ Name: "third" })));
    expect(gone.name).toBe("ResourceNotFoundException");
  });

  test("have tags", async () => {
    await rule("tagged");
    const ResourceARN = `${base}:rule/tagged`;
    const Tags = [{ Key: "a", Value: "1" }];
    await client.send(new sdk.TagResourceCommand({ ResourceARN, Tags }));
    await client.send(
      new sdk.TagResourceCommand({ ResourceARN, Tags: [{ Key: "b", Value: "2" }] }),
    );
    await client.send(new sdk.UntagResourceCommand({ ResourceARN, TagKeys: ["a"] }));
    const listed = await client.send(new sdk.ListTagsForResourceCommand({ ResourceARN }));
    expect(listed.Tags).toEqual([{ Key: "b", Value: "2" }]);
  });

  test("are refused with EventBridge's errors", async () => {
    const refused = async (input: sdk.PutRuleCommandInput) =>
      (await refusal(client.send(new sdk.PutRuleCommand(input)))).name;
    expect(await refused({ Name: "x", EventPattern: "{" })).toBe("InvalidEventPatternException");
    expect(await refused({ Name: "x" })).toBe("ValidationException");
    expect(await refused({ Name: "bad name", EventPattern })).toBe("ValidationException");
    expect(await refused({ Name: "x", ScheduleExpression: "rate(1 day)" })).toBe(
      "ValidationException",
    );
    expect(await refused({ Name: "x", EventPattern, EventBusName: "other" })).toBe(
      "ResourceNotFoundException",
    );
  });
});

describe("targets", () => {
  test("are put, listed, found by their ARN and removed", async () => {
    await rule("targets");
    const Targets: sdk.Target[] = [
      {
        ...{ Id: "a", Arn: fileArn("a"), InputPath: "$.detail" },
        RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60 },
      },
      {
        ...{ Id: "b", Arn: fileArn("b") },
        InputTransformer: { InputPathsMap: { r: "$.detail.result" }, InputTemplate: '"<r>"' },
      },
    ];
    const put = await client.send(new sdk.PutTargetsCommand({ Rule: "targets", Targets }));
    expect(put).toMatchObject({ FailedEntryCount: 0, FailedEntries: [] });
    const listed = await client.send(new sdk.ListTargetsByRuleCommand({ Rule: "targets" }));
    expect(listed.Targets).toEqual(Targets);
    const found = await client.send(
      new sdk.ListRuleNamesByTargetCommand({ TargetArn: fileArn("a") }),
    );
    expect(found.RuleNames).toEqual(["targets"]);
    const inUse = await refusal(client.send(new sdk.DeleteRuleCommand({ Name: "targets" })));
    expect(inUse.message).toContain("has targets");
    const removed = await client.send(
      new sdk.RemoveTargetsCommand({ Rule: "targets", Ids: ["a", "b", "c"] }),
    );
    expect(removed.FailedEntryCount).toBe(1);
    expect(removed.FailedEntries?.[0]).toMatchObject({
      ...{ TargetId: "c", ErrorCode: "ResourceNotFoundException" },
    });
    await client.send(new sdk.DeleteRuleCommand({ Name: "targets" }));
  });

  test("that are none of ours are refused, and so is what would be passed over", async () => {
    await rule("refused");
    const refused = async (target: sdk.Target) => {
      const command = new sdk.PutTargetsCommand({ Rule: "refused", Targets: [target] });
      return (await refusal(client.send(command))).name;
    };
    const other = fileArn("a").replace(endpoint.account, "999988887777");
    for (const Arn of [
      ...["arn:aws:sqs:us-east-1:111122223333:queue", other, fileArn("../../etc/passwd")],
      ...[`${base}:api-destination/none/1`, "nonsense"],
    ]) {
      expect(await refused({ Id: "a", Arn })).toBe("ValidationException");
    }
    const Arn = fileArn("a");
    expect(await refused({ Id: "a", Arn, DeadLetterConfig: { Arn } })).toBe("ValidationException");
    expect(await refused({ Id: "a", Arn, InputPath: "x" })).toBe("ValidationException");
    expect(await refused({ Id: "a", Arn, Input: "{}", InputPath: "$.a" })).toBe(
      "ValidationException",
    );
    const Targets = Array.from({ length: 6 }, (_, i) => ({ Id: String(i), Arn }));
    const many = new sdk.PutTargetsCommand({ Rule: "refused", Targets });
    expect((await refusal(client.send(many))).name).toBe("LimitExceededException");
  });
});

test("TestEventPattern says whether an event matches", async () => {
  const event = {
    ...{ id: "1", account: "1", source: "aws.ecr", time: "2026-12-01T12:00:00Z" },
    ...{ region: "us-east-1", resources: [], "detail-type": "ECR Image Action", detail: {} },
  };
  const asks = async (pattern: object) =>
    client.send(
      new sdk.TestEventPatternCommand({
        EventPattern: JSON.stringify(pattern),
        Event: JSON.stringify(event),
      }),
    );
  expect((await asks({ source: [{ prefix: "aws." }] })).Result).toBe(true);
  expect((await asks({ source: ["aws.ec2"] })).Result).toBe(false);
  expect((await refusal(asks({ source: [] }))).name).toBe("InvalidEventPatternException");
});

test("there is one event bus, and nobody puts events on it", async () => {
  const buses = await client.send(new sdk.ListEventBusesCommand({}));
  const bus = { Name: "default", Arn: `${base}:event-bus/default` };
  expect(buses.EventBuses).toEqual([bus]);
  expect(await client.send(new sdk.DescribeEventBusCommand({}))).toMatchObject(bus);
  const put = new sdk.PutEventsCommand({
    Entries: [{ Source: "x", DetailType: "y", Detail: "{}" }],
  });
  expect((await refusal(client.send(put))).name).toBe("OperationDisabledException");
});

test("connections and API destinations", async () => {
  const created = await client.send(
    new sdk.CreateConnectionCommand({
      ...{ Name: "hook", AuthorizationType: "API_KEY" },
      AuthParameters: {
        ApiKeyAuthParameters: { ApiKeyName: "webhook-signature", ApiKeyValue: signingSecret },
      },
    }),
  );
  expect(created.ConnectionState).toBe("AUTHORIZED");
  expect(created.CreationTime).toBeInstanceOf(Date);
  const described = await client.send(new sdk.DescribeConnectionCommand({ Name: "hook" }));
  expect(described.AuthParameters).toEqual({
    ApiKeyAuthParameters: { ApiKeyName: "webhook-signature" },
  });
  expect(JSON.stringify(described)).not.toContain(signingSecret);
  const destination = {
    Name: "hook",
    HttpMethod: "POST",
    ConnectionArn: created.ConnectionArn ?? "",
    InvocationEndpoint: "http://hooks.internal/in",
  } as const;
  const { ApiDestinationArn = "" } = await client.send(
    new sdk.CreateApiDestinationCommand(destination),
  );
  expect(await client.send(new sdk.DescribeApiDestinationCommand({ Name: "hook" }))).toMatchObject({
    ...{ ...destination, ApiDestinationArn, ApiDestinationState: "ACTIVE" },
  });
  await rule("to-webhook");
  await client.send(
    new sdk.PutTargetsCommand({
      Rule: "to-webhook",
      Targets: [{ Id: "w", Arn: ApiDestinationArn }],
    }),
  );
  const used = await refusal(client.send(new sdk.DeleteApiDestinationCommand({ Name: "hook" })));
  expect(used.message).toContain("to-webhook");
  const busy = await refusal(client.send(new sdk.DeleteConnectionCommand({ Name: "hook" })));
  expect(busy.name).toBe("ValidationException");
  const listed = await client.send(new sdk.ListApiDestinationsCommand({ NamePrefix: "ho" }));
  expect(listed.ApiDestinations?.[0]).toMatchObject({ ApiDestinationArn });
  const InvocationEndpoint = "https://example.com/";
  await client.send(new sdk.UpdateApiDestinationCommand({ Name: "hook", InvocationEndpoint }));
  const connections = await client.send(new sdk.ListConnectionsCommand({}));
  expect(connections.Connections?.map(({ Name }) => Name)).toEqual(["hook"]);
  await client.send(
    new sdk.UpdateConnectionCommand({
      ...{ Name: "hook", AuthorizationType: "BASIC" },
      AuthParameters: { BasicAuthParameters: { Username: "jo", Password: "secret" } },
    }),
  );
  const changed = await client.send(new sdk.DescribeConnectionCommand({ Name: "hook" }));
  expect(changed.AuthorizationType).toBe("BASIC");
  await client.send(new sdk.RemoveTargetsCommand({ Rule: "to-webhook", Ids: ["w"] }));
  await client.send(new sdk.DeleteApiDestinationCommand({ Name: "hook" }));
  const deleted = await client.send(new sdk.DeleteConnectionCommand({ Name: "hook" }));
  expect(deleted.ConnectionState).toBe("DELETING");
  const gone = await refusal(client.send(new sdk.DescribeConnectionCommand({ Name: "hook" })));
  expect(gone.name).toBe("ResourceNotFoundException");
});

test("webhooks to private addresses, weak secrets and headers of ours are refused", async () => {
  const connection = async (ApiKeyName: string, ApiKeyValue: string) =>
    refusal(
      client.send(
        new sdk.CreateConnectionCommand({
          ...{ Name: `c-${ApiKeyName}`, AuthorizationType: "API_KEY" },
          AuthParameters: { ApiKeyAuthParameters: { ApiKeyName, ApiKeyValue } },
        }),
      ),
    );
  for (const [name, value] of [
    ...[
      ["webhook-signature", "short"],
      ["webhook-id", "x"],
      ["Host", "x"],
      ["x-key", "a\nb"],
    ],
  ] as const) {
    expect((await connection(name, value)).name).toBe("ValidationException");
  }
  expect((await connection("x-key", "fine")).name).toBe("accepted");
  const ConnectionArn = `${base}:connection/c-x-key`;
  for (const InvocationEndpoint of [
    ...["http://169.254.169.254/latest/meta-data", "https://127.0.0.1/", "http://example.com/"],
  ]) {
    const command = new sdk.CreateApiDestinationCommand({
      ...{ Name: "ssrf", ConnectionArn, InvocationEndpoint, HttpMethod: "POST" },
    });
    expect((await refusal(client.send(command))).name).toBe("ValidationException");
  }
});

test("permissions are IAM's, for actions and for single rules", async () => {
  const { url, region } = endpoint;
  const one = allow(["events:PutRule", "events:DescribeRule"], `${base}:rule/own-*`);
  const credentials = await userWith(endpoint, "ruler", one);
  const user = new sdk.EventBridgeClient({ endpoint: url, region, credentials, maxAttempts: 1 });
  await user.send(new sdk.PutRuleCommand({ Name: "own-rule", EventPattern }));
  const refused = async (answer: Promise<unknown>) => (await refusal(answer)).name;
  for (const answer of [
    user.send(new sdk.PutRuleCommand({ Name: "other", EventPattern })),
    user.send(
      new sdk.PutRuleCommand({ Name: "own-2", EventPattern, Tags: [{ Key: "a", Value: "" }] }),
    ),
    user.send(new sdk.DescribeRuleCommand({ Name: "not-there" })),
    user.send(new sdk.ListRulesCommand({})),
    user.send(new sdk.DeleteRuleCommand({ Name: "own-rule" })),
    user.send(new sdk.ListConnectionsCommand({})),
    user.send(new sdk.PutEventsCommand({ Entries: [{ Source: "x" }] })),
  ]) {
    expect(await refused(answer)).toBe("AccessDeniedException");
  }
});
