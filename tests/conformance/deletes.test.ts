/** Deleting tags, manifests and blobs: what goes, and what must stay. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mediaTypes } from "../../src/image/media-type.ts";
import {
  absentDigest,
  bodyOf,
  bytesOf,
  descriptorOf,
  expectError,
  indexOf,
  pushBlob,
  pushImage,
  pushManifest,
  putManifest,
} from "../support/content.ts";
import { openRegistry, type TestRegistry } from "../support/registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

let registry: TestRegistry;
beforeAll(async () => {
  registry = await openRegistry();
});
afterAll(() => registry[Symbol.asyncDispose]());

const repository = "team/app";
const remove = (path: string) => registry.request("DELETE", `/v2/${repository}/${path}`);
const statusOf = async (path: string, of = repository) =>
  (await registry.request("HEAD", `/v2/${of}/${path}`)).status;

async function expectDeleted(response: Response) {
  expect(response.status).toBe(202);
  expect(response.headers.get("content-length")).toBe("0");
  expect(await bodyOf(response)).toHaveLength(0);
}

test("a tag: only the tag goes", async () => {
  const image = await pushImage(registry, repository, "tag", { reference: "one" });
  await putManifest(registry, repository, "two", image.bytes);
  await expectDeleted(await remove("manifests/one"));
  expect(await statusOf("manifests/one")).toBe(404);
  expect(await statusOf("manifests/two")).toBe(200);
  expect(await statusOf(`manifests/${image.digest}`)).toBe(200);
  await expectError(await remove("manifests/one"), 404, "MANIFEST_UNKNOWN");
});

test("a tag can be set again after it was deleted", async () => {
  const image = await pushImage(registry, repository, "again", { reference: "again" });
  await remove("manifests/again");
  await putManifest(registry, repository, "again", image.bytes);
  expect(await statusOf("manifests/again")).toBe(200);
});

test("a manifest: all its tags go with it, those of others stay", async () => {
  const image = await pushImage(registry, repository, "manifest", { reference: "m1" });
  await putManifest(registry, repository, "m2", image.bytes);
  const other = await pushImage(registry, repository, "other", { reference: "m3" });
  await expectDeleted(await remove(`manifests/${image.digest}`));
  for (const reference of ["m1", "m2", image.digest]) {
    expect(await statusOf(`manifests/${reference}`)).toBe(404);
  }
  expect(await statusOf("manifests/m3")).toBe(200);
  expect(await statusOf(`manifests/${other.digest}`)).toBe(200);
  const list = await registry.request("GET", `/v2/${repository}/tags/list`);
  expect(((await list.json()) as { tags: string[] }).tags).not.toContain("m1");
  await expectError(await remove(`manifests/${image.digest}`), 404, "MANIFEST_UNKNOWN");
});

test("a child: the index stays", async () => {
  const child = await pushImage(registry, repository, "child");
  const manifests = [descriptorOf(child.bytes, mediaTypes.ociManifest)];
  await pushManifest(registry, repository, indexOf(manifests), {
    reference: "parent",
    mediaType: mediaTypes.ociIndex,
  });
  await expectDeleted(await remove(`manifests/${child.digest}`));
  expect(await statusOf("manifests/parent")).toBe(200);
});

test("a blob: it goes from this repository only", async () => {
  const bytes = bytesOf("blob");
  const { digest } = await pushBlob(registry, repository, bytes);
  await pushBlob(registry, "team/other", bytes);
  await expectDeleted(await remove(`blobs/${digest}`));
  expect(await statusOf(`blobs/${digest}`)).toBe(404);
  expect(await statusOf(`blobs/${digest}`, "team/other")).toBe(200);
  await expectError(await remove(`blobs/${digest}`), 404, "BLOB_UNKNOWN");
  await pushBlob(registry, repository, bytes);
  expect(await statusOf(`blobs/${digest}`)).toBe(200);
});

test("a blob of an image is refused until the image is gone", async () => {
  const image = await pushImage(registry, repository, "in use", { reference: "in-use" });
  for (const { digest } of image.blobs) {
    const error = await expectError(await remove(`blobs/${digest}`), 405, "UNSUPPORTED");
    expect(error.detail).toEqual({ digest, manifest: image.digest });
    expect(await statusOf(`blobs/${digest}`)).toBe(200);
  }
  await remove(`manifests/${image.digest}`);
  for (const { digest } of image.blobs) await expectDeleted(await remove(`blobs/${digest}`));
});

test("the same manifest in another repository stays, with its tags", async () => {
  const image = await pushImage(registry, repository, "twice", { reference: "t" });
  await pushImage(registry, "team/other", "twice", { reference: "t" });
  await remove(`manifests/${image.digest}`);
  expect(await statusOf("manifests/t", "team/other")).toBe(200);
  expect(await statusOf(`manifests/${image.digest}`, "team/other")).toBe(200);
});

test.each([
  ["manifests/never", "MANIFEST_UNKNOWN"],
  [`manifests/${absentDigest}`, "MANIFEST_UNKNOWN"],
  [`blobs/${absentDigest}`, "BLOB_UNKNOWN"],
  ["blobs/uploads/0-0", "BLOB_UPLOAD_UNKNOWN"],
])("%s was never here: 404 %s", async (path, code) => {
  await expectError(await remove(path), 404, code);
});

test.each([
  ["manifests/sha256:bad", "DIGEST_INVALID"],
  ["manifests/-bad", "TAG_INVALID"],
  ["blobs/sha256:bad", "DIGEST_INVALID"],
  ["blobs/latest", "DIGEST_INVALID"],
])("%s is malformed: 400 %s", async (path, code) => {
  await expectError(await remove(path), 400, code);
});

test("in a repository that does not exist everything is NAME_UNKNOWN", async () => {
  for (const path of ["manifests/a", `manifests/${absentDigest}`, `blobs/${absentDigest}`]) {
    const response = await registry.request("DELETE", `/v2/no/such/${path}`);
    await expectError(response, 404, "NAME_UNKNOWN");
  }
});
