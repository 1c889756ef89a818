import { expect, test } from "bun:test";
import fc from "fast-check";
import type { RequestRecord } from "./listener.ts";
import { isLogged, loggedPath, requestLine } from "./request-log.ts";

const record: RequestRecord = {
  requestId: "0d3f8a9e",
  method: "GET",
  url: "http://localhost/v2/app/manifests/latest",
  status: 200,
  bytesReceived: 0,
  bytesSent: 512,
  durationMilliseconds: 1.25,
  hasCredentials: true,
  clientAddress: () => "127.0.0.1",
  fields: { endpoint: "get-manifest", principal: "arn:aws:iam::111122223333:root" },
};

test("a line has what an operator looks for", () => {
  const line = requestLine(record, Date.UTC(2026, 10, 22));
  expect(line).toEndWith("\n");
  expect(JSON.parse(line)).toEqual({
    level: "info",
    time: "2026-11-22T00:00:00.000Z",
    requestId: "0d3f8a9e",
    method: "GET",
    path: "/v2/app/manifests/latest",
    status: 200,
    bytesReceived: 0,
    bytesSent: 512,
    durationMilliseconds: 1.25,
    endpoint: "get-manifest",
    principal: "arn:aws:iam::111122223333:root",
    clientAddress: "127.0.0.1",
    message: "request",
  });
});

test("whatever a client sends, the line is one line of JSON, and bounded", () => {
  const text = fc.oneof(
    fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 50 })
      .map((codes) => String.fromCharCode(...codes)),
    fc.constantFrom("/".repeat(5000), `/v2/?${"a&".repeat(5000)}`),
  );
  fc.assert(
    fc.property(text, text, text, (method, url, repository) => {
      const line = requestLine({ ...record, method, url, fields: { repository } }, 0);
      expect(line.indexOf("\n")).toBe(line.length - 1);
      const parsed = JSON.parse(line) as Record<string, unknown>;
      expect(parsed.message).toBe("request");
      expect(parsed.clientAddress).toBe("127.0.0.1");
      expect(String(parsed.path).length).toBeLessThan(5000);
    }),
  );
});

test("values of unknown parameters are hidden", () => {
  const shown = (url: string) => loggedPath(url);
  expect(shown("http://a/v2/x/blobs/uploads/?digest=sha256:ab&mount=m&from=f&n=1")).toBe(
    "/v2/x/blobs/uploads/?digest=sha256:ab&mount=m&from=f&n=1",
  );
  expect(shown("http://a/?X-Amz-Signature=0123&token=t&x")).toBe(
    "/?X-Amz-Signature=***&token=***&x",
  );
  expect(shown("/v2/?password=p")).toBe("/v2/?password=***");
  expect(shown("http://user:secret@host/v2/")).toBe("/v2/");
  expect(shown("http://host")).toBe("/");
});

test("`errors` are failures and refusals, not the challenge with which every client begins", () => {
  const logged = (status: number, hasCredentials = true) =>
    isLogged({ ...record, status, hasCredentials }, "errors");
  expect([500, 503, 403, 401].map((status) => logged(status))).toEqual([true, true, true, true]);
  expect(logged(401, false)).toBe(false);
  expect([200, 202, 304, 404, 416].some((status) => logged(status))).toBe(false);
  expect(isLogged({ ...record, status: 404 }, "all")).toBe(true);
  expect(isLogged({ ...record, status: 500 }, "none")).toBe(false);
});
