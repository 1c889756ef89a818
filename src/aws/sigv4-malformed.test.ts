/** Every malformed, outdated and foreign form of a signature, with the error that AWS has for it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  authorization,
  type SignatureBench,
  signatureBench,
  withHeader,
} from "../../tests/support/signature-bench.ts";
import type { SignedRequest } from "../../tests/support/signed-request.ts";

let bench: SignatureBench;

beforeAll(async () => {
  bench = await signatureBench();
});
afterAll(() => bench.endpoint[Symbol.asyncDispose]());

const incomplete = "IncompleteSignatureException";
const invalid = "InvalidSignatureException";
const missing = "MissingAuthenticationTokenException";
const unrecognized = "UnrecognizedClientException";

/** Spoils the Authorization header of a good request. */
const rewrite = (edit: (header: string) => string) => async () => {
  const request = await bench.sign();
  const header = edit(authorization(request));
  expect(header).not.toBe(authorization(request));
  return withHeader(request, "authorization", header);
};
const replaceCredential = (credential: string) =>
  rewrite((header) => header.replace(/Credential=[^,]*/, `Credential=${credential}`));
const header = (name: string, value: string | undefined) => async () =>
  withHeader(await bench.sign(), name, value);
const query = (edit: (url: string) => string) => async () => {
  const request = await bench.presign();
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
    () => bench.sign({ now: bench.now - 360_000 }),
    invalid,
    /^Signature expired: 20270115T075400Z is now earlier than 20270115T075500Z \(20270115T080000Z - 5 min\.\)$/,
  ],
  [
    "a clock six minutes ahead",
    () => bench.sign({ now: bench.now + 360_000 }),
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
    () => bench.sign({ headers: { "x-amz-security-token": "session" } }),
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
    () => bench.sign({ region: "eu-west-1" }),
    invalid,
    /^Credential should be scoped to a valid region, not 'eu-west-1'\.$/,
  ],
  [
    "a signature for another service",
    () => bench.sign({ service: "ecr-public" }),
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
    rewrite((text) => text.replace(/Signature=(.*)/, (_, hex) => `Signature=${hex.toUpperCase()}`)),
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
    async () => ({ ...(await bench.sign()), body: '{"a":1}' }),
    invalid,
    /^The request signature we calculated/,
  ],
  [
    "a body that was changed, without payload hash",
    async () => ({ ...(await bench.sign({ withoutPayloadHash: true })), body: '{"a":1}' }),
    invalid,
    /^The request signature we calculated/,
  ],
  [
    "a body that was changed together with its hash",
    async () => ({
      ...withHeader(
        await bench.sign(),
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
    () => bench.sign({ headers: { "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" } }),
    invalid,
    /^The request signature we calculated/,
  ],
  [
    "header and query at once",
    async () => ({ ...(await bench.sign()), url: (await bench.presign()).url }),
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
    () => bench.presign({ now: bench.now + 360_000 }),
    invalid,
    /^Signature not yet current/,
  ],
];

for (const [name, make, type, text] of cases) {
  test(name, async () => {
    const answer = await bench.send(await make());
    expect(answer).toMatchObject({ status: 400, type });
    expect(answer.message).toMatch(text);
  });
}

test("no answer repeats a signature or a secret", async () => {
  for (const [, make] of cases) {
    const request = await make();
    const { message } = await bench.send(request);
    expect(message).not.toContain(bench.endpoint.root.secretAccessKey);
    const signature = /Signature=([0-9a-f]{64})/.exec(authorization(request))?.[1];
    if (signature !== undefined) expect(message).not.toContain(signature);
  }
});
