/** A second installation as a plain OCI registry: its own clients see what the protocol promises. */
import { describe, expect, test } from "bun:test";
import type { Digest } from "../../src/image/digest.ts";
import { findManifest } from "../../src/registry/find-manifest.ts";
import { putTagMutability } from "../../src/registry/put-tag-mutability.ts";
import { basicCredentials, toRegistry } from "../support/oci-destination.ts";
import { noise, pushImage, pushIndex, testAccount } from "../support/push-image.ts";
import { allComplete, failureShown, replicationsOf } from "../support/replicated.ts";
import { type ServedRegistry, serveRegistry } from "../support/served-registry.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const megabyte = 1024 * 1024;
const credentials = basicCredentials("root", "secret");

async function tagAt(registry: ServedRegistry, repository: string, tag: string) {
  const answer = await registry.fetch("GET", `/v2/${repository}/manifests/${tag}`, {
    headers: { accept: "*/*" },
  });
  return answer.status === 200 ? answer.headers.get("docker-content-digest") : undefined;
}

describe("replication to a registry", () => {
  test("brings images and indexes, the tag last, byte for byte", async () => {
    await using there = await serveRegistry();
    const { fleet, source } = await toRegistry({ endpoint: there.url, credentials });
    await using _ = fleet;
    const layers = [noise("small", 100), noise("large", 2 * megabyte)];
    const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    const index = await pushIndex(source.context, "web", ["all"], [image]);
    await allComplete(source, "web", image.digest);
    await allComplete(source, "web", index.digest);
    expect(await tagAt(there, "web", "1")).toBe(image.digest);
    expect(await tagAt(there, "web", "all")).toBe(index.digest);
    const address = { account: testAccount, repository: "web" };
    for (const { digest } of [image, index]) {
      const reference = { digest: digest as Digest };
      const here = await findManifest(source.context, address, reference);
      const copy = await findManifest(there.context, address, reference);
      expect(Buffer.from(copy.bytes).equals(Buffer.from(here.bytes))).toBe(true);
      expect(copy.mediaType).toBe(here.mediaType);
    }
    const [row] = await replicationsOf(source, "web", image.digest);
    expect(row?.bytes_sent).toBeGreaterThanOrEqual(2 * megabyte);
  });

  test("goes on with an upload that a broken line interrupted where the registry holds it", async () => {
    await using there = await serveRegistry();
    const line = await startTcpProxy(
      { port: there.port },
      { cutAfterBytes: 2 * megabyte, cuts: 2, connectionBytesPerSecond: 16 * megabyte },
    );
    const { fleet, source } = await toRegistry({
      endpoint: `http://127.0.0.1:${line.port}`,
      credentials,
    });
    await using _ = fleet;
    const layers = [noise("broken", 8 * megabyte)];
    const image = await pushImage(source.context, { repository: "web", tags: ["1"], layers });
    await allComplete(source, "web", image.digest);
    expect(line.faults.cuts).toBe(0);
    // Each cut costs at most what was under way.
    expect(line.bytesUp).toBeLessThan(8 * megabyte + 2 * megabyte);
    expect(await tagAt(there, "web", "1")).toBe(image.digest);
    await line.close();
  });

  test("sends what several images and tags need at the same time once", async () => {
    await using there = await serveRegistry();
    const uploads: string[] = [];
    const { fleet, source } = await toRegistry({
      endpoint: there.url,
      credentials,
      idle: ["us-east-1"],
      fetch(url, init) {
        const { pathname, searchParams } = new URL(url);
        const digest = searchParams.get("digest");
        if (init.method === "PUT" && pathname.includes("/uploads/")) uploads.push(`${digest}`);
        return fetch(url, init);
      },
    });
    await using _ = fleet;
    const layers = [noise("small", 100), noise("middle", 200_000), noise("large", 3 * megabyte)];
    const tags = ["1", "2", "3", "4", "5"];
    const config = noise("config", 500);
    const image = await pushImage(source.context, { repository: "web", tags, layers, config });
    const other = await pushImage(source.context, { repository: "web", tags: ["6"], layers });
    source.replication.start();
    await allComplete(source, "web", image.digest);
    await allComplete(source, "web", other.digest);
    for (const tag of tags) expect(await tagAt(there, "web", tag)).toBe(image.digest);
    // Three layers and two configs.
    expect(new Set(uploads).size).toBe(5);
    expect(uploads).toHaveLength(5);
  });

  test("an older push that is late does not move the tag back", async () => {
    await using there = await serveRegistry();
    const { fleet, source } = await toRegistry({
      endpoint: there.url,
      credentials,
    });
    await using _ = fleet;
    const push = (seed: string) =>
      pushImage(source.context, { repository: "web", tags: ["1"], layers: [noise(seed, 100)] });
    const images = [];
    for (let i = 0; i < 12; i++) images.push(await push(`image ${i}`));
    for (const { digest } of images) await allComplete(source, "web", digest);
    expect(await tagAt(there, "web", "1")).toBe(images.at(-1)?.digest);
  });

  test("a tag that may not be moved there ends as failed, with the image there", async () => {
    await using there = await serveRegistry();
    const { fleet, source } = await toRegistry({ endpoint: there.url, credentials });
    await using _ = fleet;
    const push = (seed: string) =>
      pushImage(source.context, { repository: "web", tags: ["1"], layers: [noise(seed, 100)] });
    const first = await push("first");
    await allComplete(source, "web", first.digest);
    await putTagMutability(
      there.context,
      { account: testAccount, repository: "web", actor: `arn:aws:iam::${testAccount}:root` },
      { tagMutability: "IMMUTABLE", exclusionFilters: [] },
    );
    const second = await push("second");
    const shown = await failureShown(source, "web", "1", "tag_immutable");
    expect(shown.state).toBe("failed");
    expect(await tagAt(there, "web", "1")).toBe(first.digest);
    expect(await tagAt(there, "web", second.digest)).toBe(second.digest);
  });

  test("maps names, and keeps accounts apart", async () => {
    await using there = await serveRegistry();
    const { fleet, source } = await toRegistry({
      endpoint: there.url,
      credentials,
      repository: "mirror/{repository}",
      account: "444455556666",
    });
    await using _ = fleet;
    await pushImage(source.context, { repository: "web", tags: ["1"], layers: [] });
    const shown = await failureShown(source, "web", "1", "account_unknown");
    // It waits for another configuration.
    expect(shown.state).toBe("pending");
    await using named = await serveRegistry();
    const other = await toRegistry({
      endpoint: named.url,
      credentials,
      repository: "mirror/{account}/{repository}",
      account: "444455556666",
    });
    await using __ = other.fleet;
    const image = { repository: "team/web", tags: ["1"], layers: [] };
    const { digest } = await pushImage(other.source.context, image);
    await allComplete(other.source, "team/web", digest);
    expect(await tagAt(named, `mirror/${testAccount}/team/web`, "1")).toBe(digest);
    // Nobody's consent is asked there: another account's place is not written to.
    await other.source.configure([
      { destinations: [{ region: "backup", registryId: "777788889999" }] },
    ]);
    await pushImage(other.source.context, { ...image, tags: ["2"] });
    await failureShown(other.source, "team/web", "2", "account_unknown");
  });
});
