import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type AwsEndpoint, startAwsEndpoint } from "../../tests/support/aws-endpoint.ts";
import { manualClock } from "../../tests/support/manual-clock.ts";
import {
  presignedRequest,
  type SignedRequest,
  type SignedRequestOptions,
  signedRequest,
} from "../../tests/support/signed-request.ts";

const clock = manualClock(Date.UTC(2027, 0, 15, 8, 0, 0));
let endpoint: AwsEndpoint;

beforeAll(async () => {
  endpoint = await startAwsEndpoint({ clock });
});
afterAll(() => endpoint[Symbol.asyncDispose]());

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly message: string;
}

async function send(request: SignedRequest, secure = false): Promise<Answer> {
  const { url, method, headers, body } = request;
  const response = await endpoint.handler(
    new Request(url, { method, headers, body }),
    endpoint.context(secure),
  );
  const answer = (await response.json()) as { __type?: string; message?: string };
  return {
    status: response.status,
    type: answer.__type ?? "",
    message: answer.message ?? "",
  };
}

function sign(options: Partial<SignedRequestOptions> = {}): Promise<SignedRequest> {
  return signedRequest({ key: endpoint.root, now: clock.now(), ...options });
}

function presign(options: Partial<Parameters<typeof presignedRequest>[0]> = {}) {
  return presignedRequest({ key: endpoint.root, now: clock.now(), ...options });
}

/** Another value for a header, or none. */
function withHeader(request: SignedRequest, name: string, value: string | undefined) {
  const { [name]: _, ...headers } = request.headers;
  return { ...request, headers: value === undefined ? headers : { ...headers, [name]: value } };
}

const authorization = (request: SignedRequest) => request.headers.authorization ?? "";

const mismatch = {
  status: 400,
  type: "InvalidSignatureException",
  message:
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
};

describe("accepted", () => {
  test("as the SDKs and the AWS CLI sign", async () => {
    expect((await send(await sign())).status).toBe(200);
    expect((await send(await sign({ withoutPayloadHash: true }))).status).toBe(200);
    const headers = { "x-amz-user-agent": "sdk/1", "content-length": "2", accept: "*/*" };
    expect((await send(await sign({ headers }))).status).toBe(200);
  });

  test("headers that the signer was free to leave out", async () => {
    const headers = { "user-agent": "curl/8", "cache-control": "no-cache", expect: "100-continue" };
    const signableHeaders = Object.keys(headers);
    const request = await sign({ headers, signableHeaders });
    expect(authorization(request)).toContain("user-agent");
    expect((await send(request)).status).toBe(200);
    expect(await send(withHeader(request, "user-agent", "curl/9"))).toEqual(mismatch);
    // Unsigned, they may change on the way.
    expect((await send(withHeader(await sign(), "user-agent", "proxy/1"))).status).toBe(200);
  });

  test("values with spaces around and within", async () => {
    const request = await sign({ headers: { "x-custom": "  a   b  " } });
    expect((await send(request)).status).toBe(200);
    expect((await send(withHeader(request, "x-custom", "a b"))).status).toBe(200);
    expect(await send(withHeader(request, "x-custom", "ab"))).toEqual(mismatch);
  });

  test("parameters without spaces, in another order, with capital header names", async () => {
    const request = await sign();
    const [algorithm = "", ...parts] = authorization(request).split(/,? /);
    for (const header of [
      `${algorithm} ${parts.join(",")}`,
      `${algorithm} ${parts.join(" ")}`,
      `${algorithm}   ${parts.toReversed().join(",   ")}`,
      `${algorithm} ${parts.join(", ").replace("host", "Host")}`,
    ]) {
      expect((await send(withHeader(request, "authorization", header))).status).toBe(200);
    }
  });

  test("a query is part of what is signed", async () => {
    const request = await sign({ query: { b: "2 3", a: "x/y&z", "": "" } });
    expect((await send(request)).status).toBe(200);
    expect(await send({ ...request, url: `${request.url}&c=1` })).toEqual(mismatch);
  });

  test("a presigned request, until it expires", async () => {
    const request = await presign({ now: clock.now() - 59_000 });
    expect((await send(request)).status).toBe(200);
    const expired = await presign({ now: clock.now() - 61_000 });
    expect(await send(expired)).toEqual({
      status: 400,
      type: "InvalidSignatureException",
      message: "Signature expired: 20270115T075959Z is now earlier than 20270115T080000Z",
    });
    expect(await send({ ...request, body: '{"a":1}' })).toEqual(mismatch);
    const longer = request.url.replace("X-Amz-Expires=60", "X-Amz-Expires=61");
    expect(await send({ ...request, url: longer })).toEqual(mismatch);
  });

  test("an unsigned payload, over an encrypted connection only", async () => {
    const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    const request = await sign({ headers });
    expect((await send(request, true)).status).toBe(200);
    expect(await send(request)).toEqual({
      status: 400,
      type: "InvalidSignatureException",
      message: "The payload must be signed when the connection is not encrypted.",
    });
  });

  test("a clock that is up to five minutes off", async () => {
    for (const milliseconds of [-300_000, 300_000]) {
      expect((await send(await sign({ now: clock.now() + milliseconds }))).status).toBe(200);
    }
  });
});

describe("refused, each in AWS's words", () => {
  const incomplete = "IncompleteSignatureException";
  const invalid = "InvalidSignatureException";
  const missing = "MissingAuthenticationTokenException";
  const unrecognized = "UnrecognizedClientException";

  /** Spoils the Authorization header of a good request. */
  const rewrite = (edit: (header: string) => string) => async () => {
    const request = await sign();
    const header = edit(authorization(request));
    expect(header).not.toBe(authorization(request));
    return withHeader(request, "authorization", header);
  };
  const replaceCredential = (credential: string) =>
    rewrite((header) => header.replace(/Credential=[^,]*/, `Credential=${credential}`));
  const header = (name: string, value: string | undefined) => async () =>
    withHeader(await sign(), name, value);
  const query = (edit: (url: string) => string) => async () => {
    const request = await presign();
    expect(edit(request.url)).not.toBe(request.url);
    return { ...request, url: edit(request.url) };
  };

  const cases: [name: string, make: () => Promise<SignedRequest>, type: string, text: RegExp][] = [
    ["no Authorization", header("authorization", undefined), missing, /^Missing Authent/],
    ["an empty Authorization", header("authorization", ""), missing, /^Missing Authent/],
    ["Basic", header("authorization", "Basic QVdTOnRva2Vu"), missing, /^Missing Authent/],
    ["Bearer", header("authorization", "Bearer AWS4-HMAC-SHA256"), missing, /^Missing Authent/],
    [
      "only the algorithm",
      header("authorization", "AWS4-HMAC-SHA256"),
      incomplete,
      /^Authorization header requires 'Credential' parameter\. Authorization header requires 'Signature' parameter\. Authorization header requires 'SignedHeaders' parameter\. \(Hashed with SHA-256 and encoded with Base64\) Authorization=[A-Za-z0-9+/]{43}=$/,
    ],
    [
      "no Signature",
      rewrite((text) => text.replace(/, Signature=.*/, "")),
      incomplete,
      /^Authorization header requires 'Signature' parameter\. \(Hashed/,
    ],
    [
      "an empty Credential",
      replaceCredential(""),
      incomplete,
      /^Authorization header requires 'Credential' parameter\. \(Hashed/,
    ],
    [
      "no SignedHeaders",
      rewrite((text) => text.replace(/SignedHeaders=[^,]*, /, "")),
      incomplete,
      /^Authorization header requires 'SignedHeaders' parameter\. \(Hashed/,
    ],
    [
      "a parameter without equal-sign",
      rewrite((text) => text.replace("Signature=", "Signature ")),
      incomplete,
      /^Invalid key=value pair \(missing equal-sign\) in Authorization header \(hashed/,
    ],
    [
      "a parameter twice",
      rewrite((text) => `${text}, Signature=00`),
      incomplete,
      /^Authorization header must have each parameter once/,
    ],
    [
      "two Authorization headers, joined",
      rewrite((text) => `${text}, ${text}`),
      incomplete,
      /^Invalid key=value pair/,
    ],
    [
      "no date at all",
      header("x-amz-date", undefined),
      incomplete,
      /^Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header\./,
    ],
    [
      "a date in another format",
      header("x-amz-date", "2027-01-15T08:00:00Z"),
      incomplete,
      /^Date must be in ISO-8601 'basic format'\. Got '2027-01-15T08:00:00Z'\./,
    ],
    [
      "a day that does not exist",
      header("x-amz-date", "20270230T080000Z"),
      incomplete,
      /^Date must be in ISO-8601/,
    ],
    [
      "a clock six minutes behind",
      () => sign({ now: clock.now() - 360_000 }),
      invalid,
      /^Signature expired: 20270115T075400Z is now earlier than 20270115T075500Z \(20270115T080000Z - 5 min\.\)$/,
    ],
    [
      "a clock six minutes ahead",
      () => sign({ now: clock.now() + 360_000 }),
      invalid,
      /^Signature not yet current: 20270115T080600Z is still later than 20270115T080500Z \(20270115T080000Z \+ 5 min\.\)$/,
    ],
    [
      "a host that is not signed",
      rewrite((text) => text.replace("host;", "")),
      invalid,
      /^'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization\.$/,
    ],
    [
      "a target that is not signed",
      rewrite((text) => text.replace(";x-amz-target", "")),
      invalid,
      /^'X-Amz-Target' must be a 'SignedHeader'/,
    ],
    [
      "a payload hash that is not signed",
      rewrite((text) => text.replace("x-amz-content-sha256;", "")),
      invalid,
      /^'X-Amz-Content-SHA256' must be a 'SignedHeader'/,
    ],
    [
      "a session token that is not signed",
      header("x-amz-security-token", "session"),
      invalid,
      /^'X-Amz-Security-Token' must be a 'SignedHeader'/,
    ],
    [
      "a session token of a key that has none",
      () => sign({ headers: { "x-amz-security-token": "session" } }),
      unrecognized,
      /^The security token included in the request is invalid\.$/,
    ],
    [
      "another algorithm",
      rewrite((text) => text.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512")),
      incomplete,
      /^Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' \(only AWS4-HMAC-SHA256 for now\)\.$/,
    ],
    [
      "a credential of four elements",
      replaceCredential("a/b/c/d"),
      incomplete,
      /^Credential must have exactly 5 slash-delimited elements, e\.g\. keyid\/date\/region\/service\/term, got 'a\/b\/c\/d'$/,
    ],
    [
      "a credential of six elements",
      replaceCredential("a/b/c/d/e/f"),
      incomplete,
      /^Credential must have exactly 5 slash-delimited elements/,
    ],
    [
      "everything wrong in the scope",
      replaceCredential("a/20260101/eu-west-1/s3/aws5_request"),
      invalid,
      /^Credential should be scoped to a valid region, not 'eu-west-1'\. Credential should be scoped to correct service: 'ecr'\. Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'\. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260101' != '20270115', from '20270115T080000Z'\.$/,
    ],
    [
      "a signature for another region",
      () => sign({ region: "eu-west-1" }),
      invalid,
      /^Credential should be scoped to a valid region, not 'eu-west-1'\.$/,
    ],
    [
      "a signature for another service",
      () => sign({ service: "ecr-public" }),
      invalid,
      /^Credential should be scoped to correct service: 'ecr'\.$/,
    ],
    [
      "an unknown key",
      replaceCredential("AKIAUNKNOWNUNKNOWN11/20270115/us-east-1/ecr/aws4_request"),
      unrecognized,
      /^The security token included in the request is invalid\.$/,
    ],
    [
      "a key that is no key",
      replaceCredential("'or''=';--/20270115/us-east-1/ecr/aws4_request"),
      unrecognized,
      /^The security token included in the request is invalid\.$/,
    ],
    [
      "a signature in capitals",
      rewrite((text) =>
        text.replace(/Signature=(.*)/, (_, hex) => `Signature=${hex.toUpperCase()}`),
      ),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "a short signature",
      rewrite((text) => text.slice(0, -1)),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "a signed header that is not there",
      rewrite((text) => text.replace("host;", "host;x-absent;")),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "a signed header twice",
      rewrite((text) => text.replace("host;", "host;host;")),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "signed headers in another order",
      rewrite((text) => text.replace(/(host);(x-[^;,]*)/, "$2;$1")),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "signed headers that are no header names",
      rewrite((text) => text.replace("host;", "host;\u00e9;(x);__proto__;")),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "another host",
      header("host", "127.0.0.1:5002"),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "another operation",
      header("x-amz-target", "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "a body that was changed",
      async () => ({ ...(await sign()), body: '{"a":1}' }),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "a body that was changed, without payload hash",
      async () => ({ ...(await sign({ withoutPayloadHash: true })), body: '{"a":1}' }),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "a body that was changed together with its hash",
      async () => ({
        ...withHeader(
          await sign(),
          "x-amz-content-sha256",
          "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862",
        ),
        body: '{"a":1}',
      }),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "a chunked signature",
      () => sign({ headers: { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" } }),
      invalid,
      /^The request signature we calculated/,
    ],
    [
      "header and query at once",
      async () => ({ ...(await sign()), url: (await presign()).url }),
      invalid,
      /^Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header\.$/,
    ],
    [
      "a presigned request without a part",
      query((url) => url.replace(/X-Amz-Credential=[^&]*&/, "").replace(/&X-Amz-Signature=.*/, "")),
      incomplete,
      /^AWS query-string parameters must include 'X-Amz-Credential'\. AWS query-string parameters must include 'X-Amz-Signature'\. Re-examine the query-string parameters\.$/,
    ],
    [
      "a presigned request with a part twice",
      query((url) => `${url}&X-Amz-Expires=60`),
      incomplete,
      /^AWS query-string parameters must include 'X-Amz-Expires'\./,
    ],
    [
      "a presigned request that never expires",
      query((url) => url.replace("X-Amz-Expires=60", "X-Amz-Expires=604801")),
      incomplete,
      /^X-Amz-Expires must be a number of seconds between 1 and 604800\.$/,
    ],
    [
      "a presigned request from the future",
      () => presign({ now: clock.now() + 360_000 }),
      invalid,
      /^Signature not yet current/,
    ],
  ];

  for (const [name, make, type, text] of cases) {
    test(name, async () => {
      const answer = await send(await make());
      expect(answer).toMatchObject({ status: 400, type });
      expect(answer.message).toMatch(text);
    });
  }

  test("no answer repeats a signature or a secret", async () => {
    for (const [, make] of cases) {
      const request = await make();
      const { message } = await send(request);
      expect(message).not.toContain(endpoint.root.secretAccessKey);
      const signature = /Signature=([0-9a-f]{64})/.exec(authorization(request))?.[1];
      if (signature !== undefined) expect(message).not.toContain(signature);
    }
  });
});

test("a date in the Date header alone is enough", async () => {
  const signed = await sign({ unsignableHeaders: ["x-amz-date"] });
  const dated = (date: string) =>
    send(withHeader(withHeader(signed, "x-amz-date", undefined), "date", date));
  expect((await dated("Fri, 15 Jan 2027 08:00:00 GMT")).status).toBe(200);
  expect((await dated("20270115T080000Z")).status).toBe(200);
  expect(await dated("Fri, 15 Jan 2027 08:00:01 GMT")).toEqual(mismatch);
  expect((await dated("Friday, 15-Jan-27 08:00:00 GMT")).type).toBe("IncompleteSignatureException");
});

test("the body is read only when the key is known", async () => {
  const read = async (edit: (request: SignedRequest) => SignedRequest) => {
    const { url, method, headers, body } = edit(await sign());
    let pulls = 0;
    const stream = new ReadableStream({
      type: "direct",
      pull(controller: { write(text: string): void; close(): void }) {
        pulls++;
        controller.write(body);
        controller.close();
      },
    } as unknown as UnderlyingSource);
    const request = new Request(url, { method, headers, body: stream });
    await endpoint.handler(request, endpoint.context());
    return pulls;
  };
  expect(await read((request) => request)).toBe(1);
  const edits: [RegExp, string][] = [
    [/Signature=.*/, ""],
    [/us-east-1/, "eu-west-1"],
    [/Credential=[^/]*/, "Credential=AKIAUNKNOWNUNKNOWN11"],
  ];
  for (const [pattern, replacement] of edits) {
    const spoil = (request: SignedRequest) =>
      withHeader(request, "authorization", authorization(request).replace(pattern, replacement));
    expect(await read(spoil)).toBe(0);
  }
});

test("no single change of a signed request is accepted", async () => {
  const good = await sign({ body: '{"registryId":"111122223333"}' });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("authorization", "host", "x-amz-date", "x-amz-target", "body"),
      fc.nat(),
      fc.constantFrom(...'aZ0/=;, .-{}"é'),
      async (name, position, letter) => {
        const text = name === "body" ? good.body : (good.headers[name] ?? "");
        const at = position % text.length;
        const changed = text.slice(0, at) + letter + text.slice(at + 1);
        fc.pre(changed.trim() !== text);
        // Header names in SignedHeaders and the separators of parameters may be written in two ways.
        fc.pre(changed.toLowerCase() !== text.toLowerCase() && !/[\s,]/.test(text[at] ?? ""));
        const request =
          name === "body" ? { ...good, body: changed } : withHeader(good, name, changed);
        const answer = await send(request);
        expect({ name, changed, ...answer }).not.toMatchObject({ status: 200 });
        expect(answer.status).toBeLessThan(500);
      },
    ),
    { numRuns: 500 },
  );
});

test("no Authorization header is answered with a 500", async () => {
  const good = await sign();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string(),
        fc.string().map((text) => `AWS4-HMAC-SHA256 ${text}`),
        fc
          .array(fc.tuple(fc.constantFrom("Credential", "SignedHeaders", "Signature"), fc.string()))
          .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join(","))
          .map((text) => `AWS4-HMAC-SHA256 ${text}`),
      ),
      async (text) => {
        const value = text.replace(/[^\x20-\x7e]/g, "");
        const { status } = await send(withHeader(good, "authorization", value));
        expect(status).toBe(400);
      },
    ),
  );
  expect(endpoint.unforeseen).toEqual([]);
});
