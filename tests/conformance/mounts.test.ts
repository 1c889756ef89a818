/** Mounting a blob of another repository: whatever stands in the way, the answer is a session. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { digestAlgorithms } from "../../src/image/digest.ts";
import {
  absentDigest,
  bodyOf,
  bytesOf,
  expectError,
  locationOf,
  pushBlob,
  withQuery,
} from "../support/content.ts";
import { openRegistry, type TestRegistry, type TestRegistryOptions } from "../support/registry.ts";

// A busy machine takes its time; nothing here waits for a clock.
setDefaultTimeout(30_000);

const bytes = bytesOf("shared");

async function withSource(options: TestRegistryOptions = {}, algorithm = "sha256" as const) {
  const registry = await openRegistry(options);
  const { digest } = await pushBlob(registry, "team/source", bytes, algorithm);
  return { registry, digest };
}

const mount = (registry: TestRegistry, query: string, target = "team/target") =>
  registry.request("POST", `/v2/${target}/blobs/uploads/?${query}`);

async function expectMounted(registry: TestRegistry, response: Response, digest: string) {
  expect(response.status).toBe(201);
  expect(locationOf(response)).toBe(`/v2/team/target/blobs/${digest}`);
  expect(response.headers.get("docker-content-digest")).toBe(digest);
  const pulled = await registry.request("GET", locationOf(response));
  expect(await bodyOf(pulled)).toEqual(bytes);
}

/** The upload that follows must work like any other. */
async function expectSession(registry: TestRegistry, response: Response) {
  expect(response.status).toBe(202);
  expect(response.headers.get("range")).toBe("0-0");
  const own = bytesOf("sent instead");
  const { digest } = await pushBlob(registry, "elsewhere", own);
  const put = await registry.request("PUT", withQuery(locationOf(response), `digest=${digest}`), {
    body: own,
  });
  expect(put.status).toBe(201);
}

describe.each([...digestAlgorithms])("%s", (algorithm) => {
  test.each([
    [
      "as docker and skopeo send it",
      (d: string) => `from=team%2Fsource&mount=${encodeURIComponent(d)}`,
    ],
    ["as containerd sends it", (d: string) => `mount=${d}&from=team/source`],
    ["as crane sends it", (d: string) => `mount=${d}&from=team/source&origin=registry.test`],
    ["without from", (d: string) => `mount=${d}`],
    [
      "with an unknown digest-algorithm beside it",
      (d: string) => `mount=${d}&from=team/source&x=1`,
    ],
  ])("%s", async (_what, query) => {
    await using registry = await openRegistry();
    const { digest } = await pushBlob(registry, "team/source", bytes, algorithm);
    await expectMounted(registry, await mount(registry, query(digest)), digest);
  });
});

test.each([
  ["the source does not exist", (d: string) => `mount=${d}&from=no/such`],
  ["the source does not have it", () => `mount=${absentDigest}&from=team/source`],
  ["nobody has it", () => `mount=${absentDigest}`],
  ["the source's name is malformed", (d: string) => `mount=${d}&from=Team//Source`],
  ["the source's name climbs", (d: string) => `mount=${d}&from=..%2F..%2Fteam%2Fsource`],
  ["the source's name holds a NUL", (d: string) => `mount=${d}&from=team%00`],
  ["the source is empty", (d: string) => `mount=${d}&from=`],
  ["the digest is malformed", () => "mount=sha256:bad&from=team/source"],
  ["the digest is empty", () => "mount=&from=team/source"],
  ["the algorithm is unknown", () => `mount=blake3:${"a".repeat(64)}&from=team/source`],
])("a session when %s", async (_what, query) => {
  const { registry, digest } = await withSource();
  await using _ = registry;
  await expectSession(registry, await mount(registry, query(digest)));
});

test("a session when the caller may not pull from the source, and no hint that it is there", async () => {
  const { registry, digest } = await withSource({
    allows: (action, resource) =>
      action !== "ecr:GetDownloadUrlForLayer" || !resource.endsWith("team/source"),
  });
  await using _ = registry;
  const refused = await mount(registry, `mount=${digest}&from=team/source`);
  const absent = await mount(registry, `mount=${digest}&from=no/such`);
  await expectSession(registry, await mount(registry, `mount=${digest}`));
  expect([...refused.headers.keys()]).toEqual([...absent.headers.keys()]);
  await expectSession(registry, refused);
});

test("a session when the source has lost it", async () => {
  const { registry, digest } = await withSource();
  await using _ = registry;
  await registry.request("DELETE", `/v2/team/source/blobs/${digest}`);
  await expectSession(registry, await mount(registry, `mount=${digest}&from=team/source`));
});

test("what was mounted stays when the source loses it", async () => {
  const { registry, digest } = await withSource();
  await using _ = registry;
  await mount(registry, `mount=${digest}&from=team/source`);
  await registry.request("DELETE", `/v2/team/source/blobs/${digest}`);
  expect((await registry.request("HEAD", `/v2/team/target/blobs/${digest}`)).status).toBe(200);
  expect((await registry.request("HEAD", `/v2/team/source/blobs/${digest}`)).status).toBe(404);
});

test("from the repository itself", async () => {
  const { registry, digest } = await withSource();
  await using _ = registry;
  const response = await mount(registry, `mount=${digest}&from=team/source`, "team/source");
  expect(response.status).toBe(201);
});

test("creates no repository when repositories are not created by pushes", async () => {
  await using registry = await openRegistry({ settings: { createRepositoryOnPush: false } });
  const response = await mount(registry, `mount=${absentDigest}`, "team/target");
  await expectError(response, 404, "NAME_UNKNOWN");
});
