/** Registries that lie, stall, redirect and refuse, on real sockets. */
import { describe, expect, test } from "bun:test";
import { parseRegistryChallenge } from "../../src/replication/oci/challenge.ts";
import { isInternalHost } from "../../src/replication/oci/internal-host.ts";
import { retryAfterMilliseconds } from "../../src/replication/oci/registry-client.ts";
import {
  basicCredentials,
  type OciDestinationOptions,
  toRegistry,
} from "../support/oci-destination.ts";
import { noise, pushImage } from "../support/push-image.ts";
import { allComplete, failureShown } from "../support/replicated.ts";
import { type ServedRegistry, serveRegistry } from "../support/served-registry.ts";
import { waitUntil } from "../support/wait-until.ts";

type Answering = (request: Request) => Response | undefined | Promise<Response | undefined>;

/** A server that answers for itself, or lets a real registry behind it answer. */
function serve(answer: Answering, behind?: ServedRegistry) {
  const requests: { method: string; path: string; authorization: string | null }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const authorization = request.headers.get("authorization");
      requests.push({ method: request.method, path: pathname, authorization });
      const own = await answer(request);
      if (own !== undefined || behind === undefined)
        return own ?? new Response(null, { status: 404 });
      const headers = new Headers(request.headers);
      headers.delete("host");
      return fetch(`${behind.url}${pathname}${search}`, {
        method: request.method,
        headers,
        ...(request.body !== null && { body: await request.arrayBuffer() }),
        redirect: "manual",
      });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

const credentials = basicCredentials("root", "secret");

async function pushTo(options: OciDestinationOptions) {
  const { fleet, source } = await toRegistry({ credentials, ...options });
  const layers = [noise("layer", 100_000), noise("large", 2_000_000)];
  const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
  return { fleet, source, image };
}

async function expectFailure(options: OciDestinationOptions, code: string) {
  const { fleet, source } = await pushTo(options);
  await using _ = fleet;
  const shown = await failureShown(source, "web", "1", code);
  expect(shown.failure_text).not.toContain("secret");
  return shown;
}

describe("a registry that", () => {
  test("stores something else is not believed", async () => {
    await using behind = await serveRegistry();
    const wrong = `sha256:${"0".repeat(64)}`;
    using there = serve(({ method, url }) => {
      if (method !== "PUT" || !url.includes("/manifests/")) return undefined;
      return new Response(null, { status: 201, headers: { "docker-content-digest": wrong } });
    }, behind);
    expect((await expectFailure({ endpoint: there.url }, "image_invalid")).state).toBe("failed");
  });

  test("holds a blob of another size is not believed", async () => {
    using there = serve(({ method, url }) =>
      method === "HEAD" && url.includes("/blobs/") ? new Response("x".repeat(7)) : undefined,
    );
    await expectFailure({ endpoint: there.url }, "destination_error");
  });

  test("says digests do not match is sent the bytes again", async () => {
    await using behind = await serveRegistry();
    let lies = 3;
    using there = serve(({ method, url }) => {
      if (method !== "PUT" || !url.includes("/uploads/") || lies-- <= 0) return undefined;
      return Response.json({ errors: [{ code: "DIGEST_INVALID" }] }, { status: 400 });
    }, behind);
    const { fleet, source, image } = await pushTo({ endpoint: there.url });
    await using _ = fleet;
    await allComplete(source, "web", image.digest);
    expect(lies).toBeLessThan(0);
  });

  test("is no registry says so", async () => {
    using there = serve(() => new Response("<html>", { status: 404 }));
    await expectFailure({ endpoint: there.url }, "protocol_unsupported");
  });

  test("answers without end is cut off", async () => {
    using there = serve(({ method }) =>
      method === "POST"
        ? new Response(
            new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65536)) }),
          )
        : undefined,
    );
    await expectFailure({ endpoint: there.url }, "protocol_unsupported");
  });

  test("never answers is given up", async () => {
    using there = serve(() => new Promise<undefined>(() => {}));
    const settings = { answerMilliseconds: 50, slowestBytesPerSecond: 2 ** 40 };
    await expectFailure({ endpoint: there.url, settings }, "destination_stalled");
  });

  test("redirects in circles is left", async () => {
    using there = serve(
      ({ url }) => new Response(null, { status: 307, headers: { location: url } }),
    );
    await expectFailure({ endpoint: there.url }, "protocol_unsupported");
    expect(there.requests.length).toBeGreaterThan(5);
  });

  test("redirects elsewhere does not send its credentials there", async () => {
    using elsewhere = serve(() => new Response(null, { status: 404 }));
    await using behind = await serveRegistry();
    using there = serve(({ method, url, headers }) => {
      if (!headers.has("authorization") || method !== "HEAD") return undefined;
      const location = `${elsewhere.url}${new URL(url).pathname}`;
      return new Response(null, { status: 307, headers: { location } });
    }, behind);
    const { fleet, source } = await pushTo({ endpoint: there.url });
    await using _ = fleet;
    await waitUntil("requests elsewhere", () => elsewhere.requests.length > 0);
    expect(there.requests.some(({ authorization }) => authorization !== null)).toBe(true);
    expect(elsewhere.requests.every(({ authorization }) => authorization === null)).toBe(true);
    await source.replication.stop();
  });

  test("limits requests is left alone until the time that it named", async () => {
    await using behind = await serveRegistry();
    let limited = true;
    using there = serve(
      () =>
        limited ? new Response(null, { status: 429, headers: { "retry-after": "1" } }) : undefined,
      behind,
    );
    const { fleet, source, image } = await pushTo({ endpoint: there.url });
    await using _ = fleet;
    await failureShown(source, "web", "1", "rate_limited");
    const before = there.requests.length;
    // Attempts go on, and none of them reaches the registry.
    await waitUntil("more attempts", async () => {
      const { metadata } = source;
      const [row] = await metadata.read.all<{ attempts: number }>(
        "select attempts from replications",
      );
      return (row?.attempts ?? 0) >= 3;
    });
    expect(there.requests.length).toBeLessThanOrEqual(before + 8);
    limited = false;
    await allComplete(source, "web", image.digest);
  });

  test("denies one repository is not out of reach", async () => {
    using there = serve(({ method }) =>
      method === "POST"
        ? Response.json({ errors: [{ code: "DENIED" }] }, { status: 403 })
        : undefined,
    );
    await expectFailure({ endpoint: there.url }, "repository_denied");
  });

  test("does not know the repository and does not create it says so", async () => {
    using there = serve(({ method }) =>
      method === "POST"
        ? Response.json({ errors: [{ code: "NAME_UNKNOWN" }] }, { status: 404 })
        : undefined,
    );
    await expectFailure({ endpoint: there.url }, "repository_unknown");
  });
});

describe("tokens", () => {
  /** A registry behind a token service, each on a socket of its own. */
  async function withTokens(grants: (url: URL, authorization: string | null) => object | number) {
    const behind = await serveRegistry();
    const service = serve((request) => {
      const granted = grants(new URL(request.url), request.headers.get("authorization"));
      return typeof granted === "number"
        ? new Response(null, { status: granted })
        : Response.json(granted);
    });
    const challenge = `Bearer realm="${service.url}/token",service="registry, of tests"`;
    const there = serve(async (request) => {
      if (request.headers.get("authorization") === "Bearer good") {
        const headers = new Headers(request.headers);
        headers.set("authorization", `Basic ${btoa("root:secret")}`);
        const url = new URL(request.url);
        return fetch(`${behind.url}${url.pathname}${url.search}`, {
          method: request.method,
          headers,
          ...(request.body !== null && { body: await request.arrayBuffer() }),
        });
      }
      const headers = { "www-authenticate": challenge };
      return new Response(null, { status: 401, headers });
    });
    return {
      endpoint: there.url,
      there,
      service,
      async [Symbol.asyncDispose]() {
        there[Symbol.dispose]();
        service[Symbol.dispose]();
        await behind[Symbol.asyncDispose]();
      },
    };
  }

  test("are got with the credentials, for the repository, and used again", async () => {
    const asked: URL[] = [];
    await using registry = await withTokens((url, authorization) => {
      asked.push(url);
      return authorization === `Basic ${btoa("root:secret")}` ? { token: "good" } : 403;
    });
    const { fleet, source, image } = await pushTo({ endpoint: registry.endpoint });
    await using _ = fleet;
    await allComplete(source, "web", image.digest);
    expect(asked.map(({ searchParams }) => searchParams.get("scope"))).toEqual([
      "repository:web:pull,push",
    ]);
    expect(asked[0]?.searchParams.get("service")).toBe("registry, of tests");
    const basic = registry.there.requests.filter(({ authorization }) =>
      authorization?.startsWith("Basic"),
    );
    expect(basic).toEqual([]);
  });

  test("that the service refuses are an outage; that the registry refuses, a denial", async () => {
    await using refusing = await withTokens(() => 401);
    await expectFailure({ endpoint: refusing.endpoint }, "destination_unauthorized");
    await using weak = await withTokens(() => ({ access_token: "weak", expires_in: 3600 }));
    await expectFailure({ endpoint: weak.endpoint }, "repository_denied");
  });

  test("that are none are not sent", async () => {
    await using registry = await withTokens(() => ({ token: "two\r\nlines" }));
    await expectFailure({ endpoint: registry.endpoint }, "protocol_unsupported");
  });
});

describe("what registries say is read", () => {
  test("challenges", () => {
    const bearer = (header: string) => {
      const challenge = parseRegistryChallenge(header);
      return challenge?.scheme === "bearer" ? [challenge.realm.href, challenge.service] : undefined;
    };
    const realm = "https://auth.example.com/token";
    expect(bearer(`Bearer realm="${realm}",service="a, b=c",scope="x"`)).toEqual([realm, "a, b=c"]);
    expect(bearer(`bearer service=s , realm="${realm}"`)).toEqual([realm, "s"]);
    expect(bearer(`Basic realm="x", Bearer realm="${realm}"`)).toEqual([realm, undefined]);
    expect(bearer(`Bearer realm="${realm}", Basic realm="x"`)).toEqual([realm, undefined]);
    expect(parseRegistryChallenge('Basic realm="a \\" b"')).toEqual({ scheme: "basic" });
    for (const header of [null, "", "Negotiate", "Bearer", 'Bearer realm="nowhere"', '"', "=,="]) {
      expect(parseRegistryChallenge(header)).toBeUndefined();
    }
    expect(parseRegistryChallenge(`Basic realm="${"x".repeat(10_000)}"`)).toBeUndefined();
  });

  test("Retry-After, bounded", () => {
    expect(retryAfterMilliseconds("2", 0)).toBe(2000);
    expect(retryAfterMilliseconds("999999", 0)).toBe(3_600_000);
    const now = Date.UTC(2026, 0, 1);
    expect(retryAfterMilliseconds("Thu, 01 Jan 2026 00:00:30 GMT", now)).toBe(30_000);
    expect(retryAfterMilliseconds("Thu, 01 Jan 2020 00:00:30 GMT", now)).toBe(0);
    for (const text of [null, "", "soon"]) expect(retryAfterMilliseconds(text, 0)).toBeUndefined();
  });

  test("hosts inside are told from hosts outside", () => {
    const inside = ["127.0.0.1", "10.1.2.3", "169.254.169.254", "[::1]", "[fd00::1]", "localhost"];
    for (const host of [...inside, "[::ffff:7f00:1]", "a.internal", "192.168.0.1", "172.31.0.1"]) {
      expect({ host, inside: isInternalHost(host) }).toEqual({ host, inside: true });
    }
    for (const host of ["registry.example.com", "8.8.8.8", "172.32.0.1", "[2001:db8::1]"]) {
      expect({ host, inside: isInternalHost(host) }).toEqual({ host, inside: false });
    }
  });
});
