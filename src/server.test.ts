import { expect, test } from "bun:test";
import type { LogFields, Logger } from "./runtime/logger.ts";
import type { Handler, RequestContext } from "./runtime/request.ts";
import { createServer, type ServerParts, welcomeHandler } from "./server.ts";

const says =
  (name: string): Handler =>
  async () =>
    new Response(name);

const parts: ServerParts = {
  oci: says("oci"),
  aws: says("aws"),
  replication: says("replication"),
  health: says("health"),
  metrics: says("metrics"),
  welcome: welcomeHandler("us-east-1", "1.2.3"),
};

const context = (): RequestContext => ({
  requestId: "request-7",
  clientAddress: "127.0.0.1",
  secure: false,
  log: {},
});

const routes: readonly [string, string, string][] = [
  ["GET", "/v2/", "oci"],
  ["GET", "/v2", "oci"],
  ["PUT", "/v2/replication/manifests/x?y=/metrics", "oci"],
  ["POST", "/", "aws"],
  ["POST", "/?Action=GetCallerIdentity", "aws"],
  ["POST", "/replication/offer", "replication"],
  ["GET", "/healthz", "health"],
  ["GET", "/healthz/ready", "health"],
  ["GET", "/metrics", "metrics"],
  ["GET", "/v22/", "nobody"],
  ["GET", "/replication", "nobody"],
  ["GET", "/healthzz", "nobody"],
  ["GET", "/metrics/x", "nobody"],
  ["POST", "//", "nobody"],
];

test.each(routes)("%s %s is answered by %s", async (method, path, name) => {
  const server = createServer(parts);
  const response = await server(new Request(`http://a:1${path}`, { method }), context());
  expect(await response.text()).toBe(name === "nobody" ? "not found\n" : name);
  expect(response.status).toBe(name === "nobody" ? 404 : 200);
});

test("HTTP/1.0 without Host gives a URL that is only a path", async () => {
  const seen: string[] = [];
  const server = createServer({
    ...parts,
    oci: async ({ url }) => {
      seen.push(url);
      return new Response();
    },
  });
  // What Bun hands over then; the standard's constructor would not make it.
  const request = { url: "/v2/?n=1", method: "GET" } as Request;
  expect((await server(request, context())).status).toBe(200);
  expect(seen).toEqual(["/v2/?n=1"]);
});

test("parts that are not there do not exist", async () => {
  const { oci, health } = parts;
  const server = createServer({ oci, health, welcome: welcomeHandler("a", "1") });
  const status = async (method: string, path: string) =>
    (await server(new Request(`http://a${path}`, { method }), context())).status;
  expect(await status("POST", "/")).toBe(405);
  expect(await status("GET", "/metrics")).toBe(404);
  expect(await status("POST", "/replication/offer")).toBe(404);
});

test("people are told what they see", async () => {
  const response = await createServer(parts)(new Request("http://a/"), context());
  expect(await response.text()).toContain("Portolan 1.2.3, region us-east-1");
});

test("an unknown error is logged with its cause and answered without it", async () => {
  const lines: LogFields[] = [];
  const logger: Logger = {
    debug() {},
    info() {},
    warn() {},
    error: (fields) => lines.push(fields),
    child: () => logger,
  };
  const error = new Error("SELECT secret FROM access_keys", { cause: new Error("disk") });
  const server = createServer({ ...parts, logger, oci: () => Promise.reject(error) });
  const requestContext = context();
  const response = await server(new Request("http://a/v2/"), requestContext);
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(text).toContain("request-7");
  expect(text).not.toContain("secret");
  expect(lines).toEqual([{ requestId: "request-7", error }]);
  expect(requestContext.log.errorCode).toBe("internal");
});
