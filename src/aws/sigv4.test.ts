import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  authorization,
  mismatch,
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

describe("accepted", () => {
  test("as the SDKs and the AWS CLI sign", async () => {
    expect((await bench.send(await bench.sign())).status).toBe(200);
    expect((await bench.send(await bench.sign({ withoutPayloadHash: true }))).status).toBe(200);
    const headers = { "x-amz-user-agent": "sdk/1", "content-length": "2", accept: "*/*" };
    expect((await bench.send(await bench.sign({ headers }))).status).toBe(200);
  });

  test("headers that the signer was free to leave out", async () => {
    const headers = { "user-agent": "curl/8", "cache-control": "no-cache", expect: "100-continue" };
    const signableHeaders = Object.keys(headers);
    const request = await bench.sign({ headers, signableHeaders });
    expect(authorization(request)).toContain("user-agent");
    expect((await bench.send(request)).status).toBe(200);
    expect(await bench.send(withHeader(request, "user-agent", "curl/9"))).toEqual(mismatch);
    // Unsigned, they may change on the way.
    expect((await bench.send(withHeader(await bench.sign(), "user-agent", "proxy/1"))).status).toBe(
      200,
    );
  });

  test("values with spaces around and within", async () => {
    const request = await bench.sign({ headers: { "x-custom": "  a   b  " } });
    expect((await bench.send(request)).status).toBe(200);
    expect((await bench.send(withHeader(request, "x-custom", "a b"))).status).toBe(200);
    expect(await bench.send(withHeader(request, "x-custom", "ab"))).toEqual(mismatch);
  });

  test("parameters without spaces, in another order, with capital header names", async () => {
    const request = await bench.sign();
    const [algorithm = "", ...parts] = authorization(request).split(/,? /);
    for (const header of [
      `${algorithm} ${parts.join(",")}`,
      `${algorithm} ${parts.join(" ")}`,
      `${algorithm}   ${parts.toReversed().join(",   ")}`,
      `${algorithm} ${parts.join(", ").replace("host", "Host")}`,
    ]) {
      expect((await bench.send(withHeader(request, "authorization", header))).status).toBe(200);
    }
  });

  test("a query is part of what is signed", async () => {
    const request = await bench.sign({ query: { b: "2 3", a: "x/y&z", "": "" } });
    expect((await bench.send(request)).status).toBe(200);
    expect(await bench.send({ ...request, url: `${request.url}&c=1` })).toEqual(mismatch);
  });

  test("a presigned request, until it expires", async () => {
    const request = await bench.presign({ now: bench.now - 59_000 });
    expect((await bench.send(request)).status).toBe(200);
    const expired = await bench.presign({ now: bench.now - 61_000 });
    expect(await bench.send(expired)).toEqual({
      status: 400,
      type: "InvalidSignatureException",
      message: "Signature expired: 20270115T075959Z is now earlier than 20270115T080000Z",
    });
    expect(await bench.send({ ...request, body: '{"a":1}' })).toEqual(mismatch);
    const longer = request.url.replace("X-Amz-Expires=60", "X-Amz-Expires=61");
    expect(await bench.send({ ...request, url: longer })).toEqual(mismatch);
  });

  test("an unsigned payload, over an encrypted connection only", async () => {
    const headers = { "x-amz-content-sha256": "UNSIGNED-PAYLOAD" };
    const request = await bench.sign({ headers });
    expect((await bench.send(request, true)).status).toBe(200);
    expect(await bench.send(request)).toEqual({
      status: 400,
      type: "InvalidSignatureException",
      message: "The payload must be signed when the connection is not encrypted.",
    });
  });

  test("a clock that is up to five minutes off", async () => {
    for (const milliseconds of [-300_000, 300_000]) {
      expect((await bench.send(await bench.sign({ now: bench.now + milliseconds }))).status).toBe(
        200,
      );
    }
  });
});

test("a date in the Date header alone is enough", async () => {
  const signed = await bench.sign({ unsignableHeaders: ["x-amz-date"] });
  const dated = (date: string) =>
    bench.send(withHeader(withHeader(signed, "x-amz-date", undefined), "date", date));
  expect((await dated("Fri, 15 Jan 2027 08:00:00 GMT")).status).toBe(200);
  expect((await dated("20270115T080000Z")).status).toBe(200);
  expect(await dated("Fri, 15 Jan 2027 08:00:01 GMT")).toEqual(mismatch);
  expect((await dated("Friday, 15-Jan-27 08:00:00 GMT")).type).toBe("IncompleteSignatureException");
});

test("the body is read only when the key is known", async () => {
  const read = async (edit: (request: SignedRequest) => SignedRequest) => {
    const { url, method, headers, body } = edit(await bench.sign());
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
    await bench.endpoint.handler(request, bench.endpoint.context());
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
  const good = await bench.sign({ body: '{"registryId":"111122223333"}' });
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
        const answer = await bench.send(request);
        expect({ name, changed, ...answer }).not.toMatchObject({ status: 200 });
        expect(answer.status).toBeLessThan(500);
      },
    ),
    { numRuns: 500 },
  );
});

test("no Authorization header is answered with a 500", async () => {
  const good = await bench.sign();
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
        const { status } = await bench.send(withHeader(good, "authorization", value));
        expect(status).toBe(400);
      },
    ),
  );
  expect(bench.endpoint.unforeseen).toEqual([]);
});
