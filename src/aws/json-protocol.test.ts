/** What every operation has in common: target, limits, types, constraints, permission, errors. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type AwsEndpoint, startAwsEndpoint } from "../../tests/support/aws-endpoint.ts";
import { type SignedRequestOptions, signedRequest } from "../../tests/support/signed-request.ts";
import { ecrService } from "./ecr/service.ts";
import { handleJson } from "./json-protocol.ts";
import { noThrottle } from "./throttle.ts";

let endpoint: AwsEndpoint;

beforeAll(async () => {
  endpoint = await startAwsEndpoint();
});
afterAll(() => endpoint[Symbol.asyncDispose]());

async function sign(options: Partial<SignedRequestOptions> = {}) {
  const now = endpoint.registry.clock.now();
  const { url, ...init } = await signedRequest({ key: endpoint.root, now, ...options });
  return new Request(url, init);
}

async function call(options: Partial<SignedRequestOptions> = {}) {
  const context = endpoint.context();
  const response = await endpoint.handler(await sign(options), context);
  return { response, context, answer: await response.json() };
}

test("an answer carries its type and the request's id", async () => {
  const { response, context, answer } = await call();
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/x-amz-json-1.1");
  expect(response.headers.get("x-amzn-requestid")).toBe(context.requestId);
  expect(answer).toEqual({
    registryId: "111122223333",
    replicationConfiguration: { rules: [] },
  });
});

test("an error carries its type in the body and in a header", async () => {
  const { response, context, answer } = await call({
    operation: "CreateRepository",
    body: '{"repositoryName":"_"}',
  });
  expect(response.status).toBe(400);
  expect(response.headers.get("x-amzn-errortype")).toBe("InvalidParameterException");
  expect(response.headers.get("x-amzn-requestid")).toBe(context.requestId);
  expect(answer).toEqual({
    __type: "InvalidParameterException",
    message: expect.stringContaining("Invalid parameter at 'repositoryName'"),
  });
  expect(context.log.errorCode).toBe("InvalidParameterException");
});

describe("target", () => {
  const target = "x-amz-target";
  const cases: [string, Record<string, string>][] = [
    ["none", { [target]: "" }],
    ["of another service", { [target]: "DynamoDB_20120810.ListTables" }],
    ["without operation", { [target]: "AmazonEC2ContainerRegistry_V20150921" }],
    ["with an empty operation", { [target]: "AmazonEC2ContainerRegistry_V20150921." }],
    ["in other letters", { [target]: "AmazonEC2ContainerRegistry_V20150921.describeregistry" }],
    ["that every object has", { [target]: "AmazonEC2ContainerRegistry_V20150921.constructor" }],
    ["that is a prototype", { [target]: "AmazonEC2ContainerRegistry_V20150921.__proto__" }],
    ["with another content type", { "content-type": "application/x-www-form-urlencoded" }],
    ["with JSON of another version", { "content-type": "application/x-amz-json-1.0" }],
  ];
  for (const [name, headers] of cases) {
    test(`${name}: the operation is unknown`, async () => {
      const { response, answer } = await call({ headers });
      expect(response.status).toBe(404);
      expect(answer).toMatchObject({ __type: "UnknownOperationException" });
    });
  }

  test("a content type may have parameters", async () => {
    const headers = { "content-type": "Application/x-amz-json-1.1; charset=UTF-8" };
    expect((await call({ headers })).response.status).toBe(200);
  });
});

describe("limits", () => {
  const tooLarge = {
    __type: "RequestEntityTooLargeException",
    message: "The request body must have at most 1048576 bytes.",
  };

  test("an announced length is refused before anything is read or verified", async () => {
    let read = false;
    const { url, method, headers } = await signedRequest({
      key: { ...endpoint.root, secretAccessKey: "wrong" },
      now: endpoint.registry.clock.now(),
    });
    const body = new ReadableStream({
      type: "direct",
      pull(controller: { close(): void }) {
        read = true;
        controller.close();
      },
    } as unknown as UnderlyingSource);
    const request = new Request(url, {
      method,
      headers: { ...headers, "content-length": "1048577" },
      body,
    });
    const response = await endpoint.handler(request, endpoint.context());
    expect(response.status).toBe(413);
    expect(await response.json()).toEqual(tooLarge);
    expect(read).toBe(false);
  });

  test("a length that was not announced is refused while it is read", async () => {
    const { response, answer } = await call({ body: `{"x":"${"a".repeat(1024 * 1024)}"}` });
    expect(response.status).toBe(413);
    expect(answer).toEqual(tooLarge);
    expect((await call({ body: `{"x":"${"a".repeat(1024 * 1024 - 8)}"}` })).response.status).toBe(
      200,
    );
  });

  test("a body that breaks off is the client's mistake", async () => {
    const signed = await sign();
    let pulls = 0;
    const body = new ReadableStream({
      pull(controller) {
        if (pulls++ === 0) controller.enqueue(new TextEncoder().encode("{"));
        else controller.error(new Error("connection reset"));
      },
    });
    const request = new Request(signed.url, {
      method: "POST",
      headers: signed.headers,
      body,
    });
    const response = await endpoint.handler(request, endpoint.context());
    expect(response.status).toBe(408);
  });
});

describe("body", () => {
  const serialization = (message: string) => ({ __type: "SerializationException", message });
  const create = "CreateRepository";
  const put = "PutReplicationConfiguration";
  const cases: [body: string, message: string, operation?: string][] = [
    ["", "The request body is not JSON."],
    ["{", "The request body is not JSON."],
    ["{'a':1}", "The request body is not JSON."],
    ["null", "The request body must be a JSON object."],
    ["[]", "The request body must be a JSON object."],
    ['"text"', "The request body must be a JSON object."],
    ["[".repeat(100_000), "The request body is not JSON."],
    ['{"repositoryName":1}', "NUMBER_VALUE can not be converted to a String", create],
    ['{"repositoryName":true}', "TRUE_VALUE can not be converted to a String", create],
    ['{"repositoryName":{"a":1}}', "Start of structure or map found where not expected.", create],
    ['{"repositoryName":["a"]}', "Start of list found where not expected.", create],
    [
      '{"repositoryName":"ab","imageTagMutability":1}',
      "NUMBER_VALUE can not be converted to a String",
      create,
    ],
    [
      '{"repositoryName":"ab","imageScanningConfiguration":{"scanOnPush":"no"}}',
      "STRING_VALUE can not be converted to a Boolean",
      create,
    ],
    ['{"replicationConfiguration":"x"}', "STRING_VALUE can not be converted to a Structure", put],
    [
      '{"replicationConfiguration":{"rules":7}}',
      "NUMBER_VALUE can not be converted to a List",
      put,
    ],
  ];
  for (const [body, message, operation = "DescribeRegistry"] of cases) {
    test(`${operation} ${body.slice(0, 60)}`, async () => {
      const { response, answer } = await call({ body, operation });
      expect(response.status).toBe(400);
      expect(answer).toEqual(serialization(message));
    });
  }

  test("bytes that are no UTF-8", async () => {
    const body = '{"x":"\u00e9"}';
    const request = await sign({ body });
    const latin1 = Buffer.from(body, "latin1");
    const { url, ...init } = await signedRequest({
      key: endpoint.root,
      now: endpoint.registry.clock.now(),
      headers: { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
    });
    const response = await endpoint.handler(
      new Request(url, { ...init, body: latin1 }),
      endpoint.context(true),
    );
    expect(await response.json()).toEqual(serialization("The request body is not JSON."));
    expect((await endpoint.handler(request, endpoint.context())).status).toBe(200);
  });

  test("members that nobody knows are ignored, and null is the same as none", async () => {
    const body = '{"registryIds":null,"constructor":{"__proto__":[]},"__proto__":{"a":1},"z":[1]}';
    const { response } = await call({ operation: "GetAuthorizationToken", body });
    expect(response.status).toBe(200);
  });

  test("whatever JSON comes, the answer is no 500", async () => {
    const json = fc.jsonValue({ maxDepth: 2 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          "CreateRepository",
          "PutReplicationConfiguration",
          "DescribeImageReplicationStatus",
          "GetAuthorizationToken",
        ),
        fc.dictionary(
          fc.constantFrom(
            "repositoryName",
            "registryId",
            "replicationConfiguration",
            "imageId",
            "registryIds",
          ),
          fc.oneof(
            json,
            fc.record({ rules: json }),
            fc.record({ imageTag: json, imageDigest: json }),
            fc.record({ rules: fc.array(fc.record({ destinations: fc.array(json) })) }),
          ),
        ),
        async (operation, input) => {
          const { response } = await call({ operation, body: JSON.stringify(input) });
          expect(response.status).toBeLessThan(500);
        },
      ),
      { numRuns: 100 },
    );
    expect(endpoint.unforeseen).toEqual([]);
  });
});

describe("constraints", () => {
  const cases: [operation: string, body: string, at: string, constraint: string][] = [
    ["CreateRepository", "{}", "repositoryName", "Member must not be null"],
    ["CreateRepository", '{"repositoryName":null}', "repositoryName", "Member must not be null"],
    [
      "CreateRepository",
      '{"repositoryName":"ab","imageTagMutability":"immutable"}',
      "imageTagMutability",
      "Member must satisfy enum value set: [MUTABLE, IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]",
    ],
    [
      "CreateRepository",
      '{"repositoryName":"ab","tags":[{"Value":"a"}]}',
      "tags.1.member.Key",
      "Member must not be null",
    ],
    [
      "PutReplicationConfiguration",
      '{"replicationConfiguration":{"rules":[{"destinations":[]},{}]}}',
      "replicationConfiguration.rules.2.member.destinations",
      "Member must not be null",
    ],
    [
      "DescribeImageReplicationStatus",
      '{"repositoryName":"ab","imageId":{"imageTag":""}}',
      "imageId.imageTag",
      "Member must have length greater than or equal to 1",
    ],
  ];
  for (const [operation, body, at, constraint] of cases) {
    test(`${operation} ${body}`, async () => {
      const { response, answer } = await call({ operation, body });
      expect(response.status).toBe(400);
      expect(answer).toEqual({
        __type: "InvalidParameterException",
        message: `Invalid parameter at '${at}' failed to satisfy constraint: '${constraint}'`,
      });
    });
  }
});

test("permission comes before existence: a refusal is the same for what is there and what is not", async () => {
  const ask = (repositoryName: string) =>
    call({
      operation: "DescribeImageReplicationStatus",
      body: JSON.stringify({
        registryId: "444455556666",
        repositoryName,
        imageId: { imageTag: "v1" },
      }),
    });
  for (const name of ["there", "absent"]) {
    expect((await ask(name)).answer).toEqual({
      __type: "AccessDeniedException",
      message: `User: arn:aws:iam::111122223333:root is not authorized to perform: ecr:DescribeImageReplicationStatus on resource: arn:aws:ecr:us-east-1:444455556666:repository/${name} because no resource-based policy allows the ecr:DescribeImageReplicationStatus action`,
    });
  }
});

test("an error that nobody foresaw is reported, and the client learns nothing of it", async () => {
  const cause = new Error("disk on fire at /var/lib");
  const { registry } = endpoint;
  const read = { ...registry.metadata.read, all: () => Promise.reject(cause) };
  const service = ecrService({
    registry: { ...registry, metadata: { ...registry.metadata, read } },
    layerUrls: { issue: () => "", verify: () => undefined },
    tokens: {
      issue: () => ({ token: "", expiresAt: 0 }),
      verify: () => ({ valid: false, failure: "invalid" }),
    },
  });
  const reported: unknown[] = [];
  const context = endpoint.context();
  const response = await handleJson(
    service,
    {
      region: "us-east-1",
      access: endpoint.access,
      keys: { find: async () => endpoint.root },
      clock: registry.clock,
      throttle: noThrottle,
      reportError: (error, request) => void reported.push([error, request.requestId]),
    },
    await sign(),
    context,
  );
  expect(response.status).toBe(500);
  expect(await response.json()).toEqual({
    __type: "ServerException",
    message: "The server failed to answer the request.",
  });
  expect(reported).toEqual([[cause, context.requestId]]);
});
