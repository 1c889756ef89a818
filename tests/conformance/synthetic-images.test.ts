/**
 * Every shape of image that has broken a registry, over the network against a real process: it is
 * taken, and given back byte for byte with its own type under tag and digest.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mediaTypes } from "../../src/image/media-type.ts";
import { connectRegistry, type RegistryConnection } from "../support/registry-connection.ts";
import { type ServerProcess, startServer } from "../support/server-process.ts";
import {
  pushSyntheticImage,
  type SyntheticImage,
  syntheticImage,
} from "../support/synthetic-image.ts";
import { syntheticImages } from "../support/synthetic-images.ts";

setDefaultTimeout(30_000);

describe("images of every shape", () => {
  let server: ServerProcess;
  let registry: RegistryConnection;
  beforeAll(async () => {
    server = await startServer();
    registry = connectRegistry(server.endpoint, server.authorization);
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const images = new Map(syntheticImages().map((image) => [image.name, image]));
  const pushes = new Map<string, Promise<Response[]>>();
  /** Into a repository of its own name, once. */
  async function pushed(name: string): Promise<{ image: SyntheticImage; answers: Response[] }> {
    const image = images.get(name);
    if (image === undefined) throw new Error(`there is no image ${name}`);
    const push = pushes.get(name) ?? pushSyntheticImage(registry, name, image);
    pushes.set(name, push);
    return { image, answers: await push };
  }

  test.each([...images.keys()])("%s", async (name) => {
    const { image, answers } = await pushed(name);
    expect(answers.length).toBeGreaterThan(0);
    for (const { digest, bytes, mediaType, tags } of image.manifests) {
      for (const reference of [digest, ...tags]) {
        const pulled = await registry.getManifest(name, reference);
        expect(pulled.digest).toBe(digest);
        expect(pulled.mediaType).toBe(mediaType);
        expect(Buffer.compare(pulled.bytes, bytes)).toBe(0);
      }
    }
    const root = image.manifests.at(-1);
    const { digests } = await registry.verifyImage(name, root?.digest ?? "");
    expect(digests.length).toBeGreaterThan(0);
    const tags = image.manifests.flatMap((manifest) => manifest.tags);
    expect(await registry.listTags(name)).toEqual([...new Set(tags)].sort());
  });

  test("referrers of every kind are listed with type and annotations", async () => {
    const { image } = await pushed("referrers-of-every-kind");
    const subject = image.manifests[0]?.digest ?? "sha256:";
    const listed = await registry.listReferrers("referrers-of-every-kind", subject);
    expect(listed.map(({ artifactType }) => artifactType ?? "none").sort()).toEqual([
      "application/spdx+json",
      "application/vnd.amazon.soci.index.v1+json",
      "application/vnd.cncf.notary.signature",
      "application/vnd.cyclonedx+json",
      "application/vnd.dev.sigstore.bundle.v0.3+json",
      "application/vnd.example.index",
      "none",
    ]);
    const first = listed.find(({ artifactType }) => artifactType === "application/spdx+json");
    expect(first?.annotations).toEqual({
      "org.opencontainers.image.created": "2026-01-01T00:00:00Z",
    });
  });

  test("300 referrers are all listed, and a third of them by their type", async () => {
    const { image } = await pushed("referrers-300");
    const subject = image.manifests[1]?.digest ?? "sha256:";
    const all = await registry.listReferrers("referrers-300", subject);
    expect(new Set(all.map(({ digest }) => digest)).size).toBe(300);
    const path = `/v2/referrers-300/referrers/${subject}?artifactType=application/spdx%2Bjson`;
    const filtered = await registry.send("GET", path);
    expect(filtered.headers.get("oci-filters-applied")).toBe("artifactType");
    expect(((await filtered.json()) as { manifests: unknown[] }).manifests.length).toBe(100);
  });

  test("a push with a subject is answered with OCI-Subject, with or without the subject", async () => {
    const [answer] = (await pushed("subject-missing")).answers;
    expect(answer?.headers.get("oci-subject")).toBe(`sha256:${"a".repeat(64)}`);
  });

  test("a manifest above the limit is refused with 413", async () => {
    const image = syntheticImage("too-large", (build) => {
      const annotations = { filler: "x".repeat(4_300_000) };
      build.image([], { annotations }, { tags: ["1"] });
    });
    for (const [digest, bytes] of image.blobs) await registry.pushBlob("too-large", digest, bytes);
    const bytes = image.manifests[0]?.bytes ?? new Uint8Array();
    const answer = await registry.putManifest("too-large", "1", bytes, mediaTypes.ociManifest);
    expect(answer.status).toBe(413);
    expect(await registry.findDigest("too-large", "1")).toBeUndefined();
  });
});
