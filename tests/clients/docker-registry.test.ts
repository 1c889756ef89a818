/** Debian's docker-registry 2.8 as a destination: the real program, with Basic authentication. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { digestOf } from "../../src/image/digest.ts";
import { mediaTypes } from "../../src/image/media-type.ts";
import {
  type DockerRegistry,
  dockerRegistryHint,
  haveDockerRegistry,
  startDockerRegistry,
} from "../support/docker-registry.ts";
import { basicCredentials, toRegistry } from "../support/oci-destination.ts";
import { noise, pushImage } from "../support/push-image.ts";
import { allComplete, failureShown, replicationsOf } from "../support/replicated.ts";
import { requirement } from "../support/require.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { waitUntil } from "../support/wait-until.ts";

setDefaultTimeout(60_000);

const available = requirement("clients", haveDockerRegistry, dockerRegistryHint);
const megabyte = 1024 * 1024;

describe.skipIf(!available)("replication to docker-registry", () => {
  let registry: DockerRegistry;
  beforeAll(async () => {
    registry = await startDockerRegistry();
  });
  afterAll(() => registry?.[Symbol.asyncDispose]());
  const credentials = () => basicCredentials(registry.username, registry.password);

  /** The digest under a reference, with everything below it fetched and calculated. */
  async function verified(repository: string, reference: string): Promise<string | undefined> {
    const accept = `${mediaTypes.ociManifest}, ${mediaTypes.ociIndex}`;
    const answer = await registry.fetch("GET", `/v2/${repository}/manifests/${reference}`, {
      accept,
    });
    if (answer.status !== 200) return undefined;
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const manifest = JSON.parse(new TextDecoder().decode(bytes));
    for (const { digest } of manifest.manifests ?? []) {
      expect(await verified(repository, digest)).toBe(digest);
    }
    for (const { digest } of [manifest.config, ...(manifest.layers ?? [])].filter(Boolean)) {
      const blob = await registry.fetch("GET", `/v2/${repository}/blobs/${digest}`);
      expect(digestOf(new Uint8Array(await blob.arrayBuffer()))).toBe(digest);
    }
    return digestOf(bytes);
  }

  test("an image arrives with every digest, its tag and its large layers", async () => {
    const { fleet, source } = await toRegistry({
      endpoint: registry.endpoint,
      credentials: credentials(),
      repository: "mirror/{account}/{repository}",
    });
    await using _ = fleet;
    const layers = [
      noise("small", 1000),
      noise("large", 5 * megabyte),
      noise("more", 2 * megabyte),
    ];
    const image = await pushImage(source.context, { repository: "web", tags: ["1", "2"], layers });
    await allComplete(source, "web", image.digest);
    for (const reference of ["1", "2", image.digest]) {
      expect(await verified("mirror/111122223333/web", reference)).toBe(image.digest);
    }
    // In another repository nothing is sent again: the layers are mounted.
    const other = await pushImage(source.context, { repository: "other", tags: ["1"], layers });
    await allComplete(source, "other", other.digest);
    expect(await verified("mirror/111122223333/other", "1")).toBe(other.digest);
    const [row] = await replicationsOf(source, "other", other.digest);
    expect(row?.bytes_sent).toBe(0);
    // A tag that is moved here is moved there.
    const moved = await pushImage(source.context, {
      repository: "web",
      tags: ["1"],
      layers: [noise("moved", 10)],
    });
    await allComplete(source, "web", moved.digest);
    expect(await verified("mirror/111122223333/web", "1")).toBe(moved.digest);
    expect(await verified("mirror/111122223333/web", "2")).toBe(image.digest);
  });

  test("referrers are listed under the tag of their subject, as it has no API for them", async () => {
    const { fleet, source } = await toRegistry({
      endpoint: registry.endpoint,
      credentials: credentials(),
    });
    await using _ = fleet;
    const subject = await pushImage(source.context, {
      repository: "signed",
      tags: ["1"],
      layers: [noise("signed", 100)],
    });
    await allComplete(source, "signed", subject.digest);
    const digests: string[] = [];
    for (const signature of ["one", "two"]) {
      const layers = [noise(signature, 100)];
      const { digest } = await pushImage(source.context, { repository: "signed", layers, subject });
      await allComplete(source, "signed", digest);
      digests.push(digest);
    }
    const tag = subject.digest.replace(":", "-");
    const answer = await registry.fetch("GET", `/v2/signed/manifests/${tag}`, {
      accept: mediaTypes.ociIndex,
    });
    const index = (await answer.json()) as {
      manifests: { digest: string; artifactType: string }[];
    };
    expect(index.manifests.map(({ digest }) => digest)).toEqual(digests);
    expect(index.manifests[0]?.artifactType).toBe("application/vnd.oci.image.config.v1+json");
  });

  test("the registry is down: what was pushed meanwhile arrives when it is back", async () => {
    const { fleet, source } = await toRegistry({
      endpoint: registry.endpoint,
      credentials: credentials(),
    });
    await using _ = fleet;
    await registry.stop();
    const image = await pushImage(source.context, {
      repository: "outage",
      tags: ["1"],
      layers: [noise("outage", 100)],
    });
    await failureShown(source, "outage", "1", "destination_unreachable");
    await registry.start();
    await allComplete(source, "outage", image.digest);
    expect(await verified("outage", "1")).toBe(image.digest);
  });

  test("the line breaks in the middle of a layer: it arrives all the same", async () => {
    await using line = await breakingLine(registry);
    const { fleet, source } = await toRegistry({
      endpoint: `http://127.0.0.1:${line.proxy.port}`,
      credentials: credentials(),
    });
    await using _ = fleet;
    const layers = [noise("broken", 6 * megabyte)];
    const image = await pushImage(source.context, { repository: "broken", tags: ["1"], layers });
    await allComplete(source, "broken", image.digest);
    expect(line.proxy.faults.cuts).toBe(0);
    expect(await verified("broken", "1")).toBe(image.digest);
  });

  test("a wrong password is an outage that says so, and the right one ends it", async () => {
    let password = "wrong";
    const { fleet, source } = await toRegistry({
      endpoint: registry.endpoint,
      credentials: { password: async () => ({ username: registry.username, password }) },
    });
    await using _ = fleet;
    const image = await pushImage(source.context, {
      repository: "password",
      tags: ["1"],
      layers: [noise("password", 100)],
    });
    const shown = await failureShown(source, "password", "1", "destination_unauthorized");
    expect(shown.failure_text).not.toContain("wrong");
    password = registry.password;
    await allComplete(source, "password", image.digest);
    await waitUntil("the tag", async () => (await verified("password", "1")) === image.digest);
  });
});

async function breakingLine({ endpoint }: DockerRegistry) {
  const proxy = await startTcpProxy(
    { port: Number(new URL(endpoint).port) },
    { cutAfterBytes: 1.5 * megabyte, cuts: 2, connectionBytesPerSecond: 20 * megabyte },
  );
  return { proxy, [Symbol.asyncDispose]: () => proxy.close() };
}
