/** A real upstream (another registry of ours, and answers written by hand) behind a real cache. */
import { afterEach, expect, test } from "bun:test";
import { BatchGetImageCommand, DescribeRepositoriesCommand } from "@aws-sdk/client-ecr";
import { digestOf } from "../../src/image/digest.ts";
import { findManifest } from "../../src/registry/find-manifest.ts";
import { type CacheWorld, cacheWorld, upstreamImage } from "../support/cache-world.ts";
import { hostileUpstream, imageAnswers } from "../support/hostile-upstream.ts";
import { manualClock } from "../support/manual-clock.ts";
import { noise } from "../support/push-image.ts";
import { waitUntil } from "../support/wait-until.ts";

const worlds: (AsyncDisposable | Disposable)[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0).reverse()) {
    if (Symbol.asyncDispose in world) await world[Symbol.asyncDispose]();
    else world[Symbol.dispose]();
  }
});

async function world(options: Parameters<typeof cacheWorld>[1] = {}) {
  const upstream = hostileUpstream();
  const cache = await cacheWorld(upstream.host, options);
  worlds.push(upstream, cache);
  return { upstream, cache };
}

const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

async function isCached(cache: CacheWorld, repository: string, tag: string): Promise<boolean> {
  const { registry, account } = cache.endpoint;
  return findManifest(registry, { account, repository }, { tag }).then(
    () => true,
    () => false,
  );
}

async function cachedDigest(cache: CacheWorld): Promise<string> {
  const { registry, account } = cache.endpoint;
  const address = { account, repository: "cache/app" };
  return (await findManifest(registry, address, { tag: "latest" })).digest;
}

test("a first pull is served from the upstream and leaves the image behind, byte for byte", async () => {
  const { upstream, cache } = await world();
  const image = upstreamImage("team/app", "1.0", noise("layer", 3_000_000));
  upstream.answer = imageAnswers(image);

  const manifest = await cache.pull("/v2/cache/team/app/manifests/1.0");
  expect(manifest.status).toBe(200);
  expect(manifest.headers.get("docker-content-digest")).toBe(image.digest);
  expect(digestOf(await bytesOf(manifest))).toBe(image.digest);
  for (const [digest, bytes] of image.blobs) {
    const blob = await cache.pull(`/v2/cache/team/app/blobs/${digest}`);
    expect(blob.status).toBe(200);
    expect(Buffer.from(await bytesOf(blob)).equals(Buffer.from(bytes))).toBe(true);
  }
  await waitUntil("the image is cached", () => isCached(cache, "cache/team/app", "1.0"));

  const before = upstream.requests.length;
  upstream.answer = () => new Response("down", { status: 503 });
  const again = await cache.pull("/v2/cache/team/app/manifests/1.0");
  expect(digestOf(await bytesOf(again))).toBe(image.digest);
  const layer = await cache.pull(`/v2/cache/team/app/blobs/${image.layer}`);
  expect(digestOf(await bytesOf(layer))).toBe(image.layer);
  expect(upstream.requests.length).toBe(before);
  expect(upstream.requests.filter((line) => line.endsWith(image.layer))).toHaveLength(1);
});

test("many pullers of one blob cause one fetch", async () => {
  const { upstream, cache } = await world();
  const image = upstreamImage("app", "1", noise("shared", 5_000_000));
  const answers = imageAnswers(image);
  const gate = Promise.withResolvers<void>();
  upstream.answer = async (path) => {
    if (path.endsWith(image.layer)) await gate.promise;
    return answers(path) ?? new Response(null, { status: 404 });
  };
  await cache.pull("/v2/cache/app/manifests/1");
  const pulls = Array.from({ length: 5 }, () => cache.pull(`/v2/cache/app/blobs/${image.layer}`));
  await waitUntil("the request for the layer", () =>
    upstream.requests.some((line) => line.endsWith(image.layer)),
  );
  gate.resolve();
  for (const response of await Promise.all(pulls)) {
    expect(digestOf(await bytesOf(response))).toBe(image.layer);
  }
  await waitUntil("the image is cached", () => isCached(cache, "cache/app", "1"));
  expect(upstream.requests.filter((line) => line.endsWith(image.layer))).toHaveLength(1);
});

test("wrong bytes are neither kept nor ever served whole", async () => {
  const { upstream, cache } = await world();
  const image = upstreamImage("app", "1", noise("right", 3_000_000));
  const wrong = noise("wrong", 3_000_000);
  const answers = imageAnswers({
    ...image,
    blobs: new Map([...image.blobs, [image.layer, wrong]]),
  });
  upstream.answer = (path) => answers(path);
  await cache.pull("/v2/cache/app/manifests/1");
  const received = await cache
    .pull(`/v2/cache/app/blobs/${image.layer}`)
    .then(bytesOf)
    .catch(() => new Uint8Array());
  expect(received.byteLength).toBeLessThan(wrong.byteLength);
  await waitUntil("the failure in the log", () => cache.endpoint.cacheLog.length > 0);
  expect(await isCached(cache, "cache/app", "1")).toBe(false);
  expect(await cache.endpoint.registry.blobs.stat(image.layer)).toBeUndefined();
});

test("a manifest with other bytes than its digest is refused", async () => {
  const { upstream, cache } = await world();
  const image = upstreamImage("app", "1", noise("layer", 100));
  const other = upstreamImage("app", "1", noise("other", 100));
  upstream.answer = (path) =>
    path.includes("/manifests/")
      ? imageAnswers(other)(`/v2/app/manifests/${other.digest}`)
      : undefined;
  const answer = await cache.pull(`/v2/cache/app/manifests/${image.digest}`);
  expect(answer.status).toBe(502);
  expect(await cache.ecr.send(new DescribeRepositoriesCommand({}))).toMatchObject({
    repositories: [],
  });
});

test("an image that nobody has is unknown, leaves no repository, and is not asked for again at once", async () => {
  const { upstream, cache } = await world();
  for (let pull = 0; pull < 3; pull++) {
    const answer = await cache.pull("/v2/cache/none/manifests/1");
    expect(answer.status).toBe(404);
    expect(((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code).toBe(
      "MANIFEST_UNKNOWN",
    );
  }
  expect(upstream.requests).toHaveLength(1);
  expect(await cache.ecr.send(new DescribeRepositoriesCommand({}))).toMatchObject({
    repositories: [],
  });
});

test("a tag is compared once a day, moves with the upstream, and is served stale when that fails", async () => {
  const clock = manualClock(Date.now());
  const { upstream, cache } = await world({ clock });
  const first = upstreamImage("app", "latest", noise("first", 1000));
  const second = upstreamImage("app", "latest", noise("second", 1000));
  upstream.answer = imageAnswers(first);
  await cache.pull("/v2/cache/app/manifests/latest");
  await waitUntil("the image is cached", () => isCached(cache, "cache/app", "latest"));
  const digest = async () =>
    (await cache.pull("/v2/cache/app/manifests/latest", { method: "HEAD" })).headers.get(
      "docker-content-digest",
    );

  upstream.answer = imageAnswers(second);
  clock.advance(23 * 3600_000);
  expect(await digest()).toBe(first.digest);
  clock.advance(2 * 3600_000);
  expect(await digest()).toBe(second.digest);
  await waitUntil("the image is cached", async () => (await cachedDigest(cache)) === second.digest);

  upstream.answer = () => new Response(null, { status: 500 });
  clock.advance(25 * 3600_000);
  expect(await digest()).toBe(second.digest);
  const asked = upstream.requests.length;
  expect(await digest()).toBe(second.digest);
  expect(upstream.requests.length).toBe(asked);
});

test("the limits of an upstream reach the client with their time", async () => {
  const { upstream, cache } = await world();
  upstream.answer = () => new Response(null, { status: 429, headers: { "Retry-After": "17" } });
  const answer = await cache.pull("/v2/cache/app/manifests/1");
  expect(answer.status).toBe(429);
  expect(answer.headers.get("retry-after")).toBe("17");
  const { failures } = await cache.ecr
    .send(new BatchGetImageCommand({ repositoryName: "cache/app", imageIds: [{ imageTag: "2" }] }))
    .catch((error: Error) => ({ failures: error.name }));
  // Nothing was ever cached there, so the repository does not exist.
  expect(failures).toBe("RepositoryNotFoundException");
});

test("BatchGetImage brings an image in", async () => {
  const { upstream, cache } = await world();
  const image = upstreamImage("app", "1", noise("api", 2000));
  upstream.answer = imageAnswers(image);
  const { images } = await cache.ecr.send(
    new BatchGetImageCommand({ repositoryName: "cache/app", imageIds: [{ imageTag: "1" }] }),
  );
  expect(images?.[0]?.imageId?.imageDigest).toBe(image.digest);
  expect(await isCached(cache, "cache/app", "1")).toBe(true);
});

test("a redirect into the own network is not followed, and credentials stay with their origin", async () => {
  const { upstream, cache } = await world();
  using other = hostileUpstream();
  other.answer = () => new Response("secret of the inside");
  upstream.answer = () => Response.redirect(`http://${other.host}/inside`, 307);
  const answer = await cache.pull("/v2/cache/app/manifests/1");
  expect(answer.status).toBe(502);
  expect(other.requests).toEqual([]);
});

test("a blob that is cut off is asked for again from where it ended", async () => {
  const { upstream, cache } = await world();
  const layer = noise("cut", 6_000_000);
  const image = upstreamImage("app", "1", layer);
  const answers = imageAnswers(image);
  const ranges: (string | null)[] = [];
  upstream.answer = (path, request) => {
    if (!path.endsWith(image.layer)) return answers(path);
    const range = request.headers.get("range");
    ranges.push(range);
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    if (start === 0) {
      const cut = new ReadableStream({
        start(controller) {
          controller.enqueue(layer.slice(0, 4_500_000));
        },
        async pull(controller) {
          await Bun.sleep(20);
          controller.error(new Error("cut"));
        },
      });
      return new Response(cut);
    }
    return new Response(layer.slice(start), {
      status: 206,
      headers: { "Content-Range": `bytes ${start}-${layer.byteLength - 1}/${layer.byteLength}` },
    });
  };
  await cache.pull("/v2/cache/app/manifests/1");
  await waitUntil("the image is cached", () => isCached(cache, "cache/app", "1"));
  expect(ranges).toHaveLength(2);
  expect(ranges[1]).toMatch(/^bytes=[1-9]\d+-$/);
});
