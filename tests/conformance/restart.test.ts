/** A server that stops and starts again: nothing that it acknowledged is lost, and uploads go on. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type DigestAlgorithm, digestAlgorithms, digestOf } from "../../src/image/digest.ts";
import { expectConsistent } from "../support/consistency.ts";
import {
  beginUpload,
  bodyOf,
  bytesOf,
  expectError,
  type PushedManifest,
  pushImage,
  withQuery,
} from "../support/content.ts";
import { openRegistry, type TestRegistry } from "../support/registry.ts";
import { temporaryDirectory } from "../support/temporary-directory.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const uploads: readonly (readonly [what: string, query: string, DigestAlgorithm])[] =
  digestAlgorithms.flatMap((algorithm) => [
    [`${algorithm}`, "", algorithm] as const,
    [`${algorithm}, announced`, `?digest-algorithm=${algorithm}`, algorithm] as const,
  ]);
const contentOf = (what: string) => bytesOf(what, 300_000);
const half = 123_456;

const directory = temporaryDirectory();
const options = { storage: "disk", directory: directory.path } as const;
/** Half-done uploads by what they are. */
const locations = new Map<string, string>();
let kept: PushedManifest & { readonly blobs: readonly { readonly digest: string }[] };
let registry: TestRegistry;

beforeAll(async () => {
  {
    await using before = await openRegistry(options);
    for (const [what, query] of [...uploads, ["wrong", ""], ["cancelled", ""]] as const) {
      const location = await beginUpload(before, "a", query);
      await before.request("PATCH", location, { body: contentOf(what).slice(0, half) });
      locations.set(what, location);
    }
    kept = await pushImage(before, "a/b", "kept", { reference: "kept" });
    await pushImage(before, "a/b", "deleted", { reference: "deleted" });
    await before.request("DELETE", "/v2/a/b/manifests/deleted");
  }
  registry = await openRegistry(options);
});
afterAll(async () => {
  await expectConsistent(registry);
  await registry[Symbol.asyncDispose]();
  directory.remove();
});

const locationOf = (what: string) => locations.get(what) ?? "none";

test.each(uploads)("an upload is resumed at its offset: %s", async (what, _query, algorithm) => {
  const location = locationOf(what);
  const bytes = contentOf(what);
  const rest = bytes.slice(half);
  const state = await registry.request("GET", location);
  expect(state.headers.get("range")).toBe(`0-${half - 1}`);
  const patch = (start: number) =>
    registry.request("PATCH", location, {
      body: rest,
      headers: { "Content-Range": `${start}-${start + rest.length - 1}` },
    });
  await expectError(await patch(0), 416, "BLOB_UPLOAD_INVALID");
  expect((await patch(half)).status).toBe(202);
  const digest = digestOf(bytes, algorithm);
  const put = await registry.request("PUT", withQuery(location, `digest=${digest}`));
  expect(put.status).toBe(201);
  const pulled = await registry.request("GET", `/v2/a/blobs/${digest}`);
  expect(Buffer.compare(await bodyOf(pulled), bytes)).toBe(0);
});

test("a wrong digest is refused also when the hash has to be made anew", async () => {
  const wrong = digestOf(contentOf("wrong"));
  const put = withQuery(locationOf("wrong"), `digest=${wrong}`);
  const error = await expectError(await registry.request("PUT", put), 400, "DIGEST_INVALID");
  const actual = digestOf(contentOf("wrong").slice(0, half));
  expect(error.detail).toEqual({ expected: wrong, actual });
});

test("an upload can be cancelled, and is then gone", async () => {
  const location = locationOf("cancelled");
  expect((await registry.request("DELETE", location)).status).toBe(204);
  expect((await registry.request("GET", location)).status).toBe(404);
});

test("images and tags are there, byte for byte, and deletions stay", async () => {
  const pulled = await registry.request("GET", "/v2/a/b/manifests/kept");
  expect(await bodyOf(pulled)).toEqual(kept.bytes);
  expect(pulled.headers.get("content-type")).toBe(kept.mediaType);
  for (const { digest } of kept.blobs) {
    const blob = await registry.request("GET", `/v2/a/b/blobs/${digest}`);
    expect(digestOf(await bodyOf(blob)) as string).toBe(digest);
  }
  const tags = await registry.request("GET", "/v2/a/b/tags/list");
  expect(await tags.json()).toEqual({ name: "a/b", tags: ["kept"] });
});
