/** Two nodes of a region send to a registry that has no versions: what the source says now stays. */
import { expect, test } from "bun:test";
import type { Digest } from "../../src/image/digest.ts";
import { selectRepository } from "../../src/metadata/queries/repositories.ts";
import { findManifest } from "../../src/registry/find-manifest.ts";
import { loadClosure } from "../../src/replication/closure.ts";
import { ociPeer } from "../../src/replication/oci/oci-peer.ts";
import { type Offer, offerLimits } from "../../src/replication/offer.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { basicCredentials } from "../support/oci-destination.ts";
import { noise, pushImage, testAccount } from "../support/push-image.ts";
import { quickSettings } from "../support/regions.ts";
import { openRegistry } from "../support/registry.ts";
import { serveRegistry } from "../support/served-registry.ts";

test("an older attempt that comes in after the newer one does not have the last word", async () => {
  await using source = await openRegistry();
  await using there = await serveRegistry();
  const address = { account: testAccount, repository: "web" };
  const push = (seed: string, tag: string) =>
    pushImage(source.context, { repository: "web", tags: [tag], layers: [noise(seed, 100)] });
  const older = (await push("older", "a")).digest as Digest;
  const newer = (await push("newer", "b")).digest as Digest;
  const { read } = source.context.metadata;
  const repository = await selectRepository(read, testAccount, "web");

  async function offerOf(digest: Digest): Promise<Offer> {
    const closure = await loadClosure(read, repository?.id ?? 0, digest, offerLimits);
    if (closure === undefined) throw new Error("the image is not there");
    const inline = new Map<Digest, Uint8Array<ArrayBuffer>>();
    for (const blob of closure.blobs) {
      const content = await source.context.blobs.read(blob.digest);
      inline.set(blob.digest, new Uint8Array((await content?.arrayBuffer()) ?? []));
    }
    const tag = { name: "1", clock: "", origin: "us-east-1" } as unknown as Offer["tag"];
    return { ...closure, sourceAccount: testAccount, ...address, digest, tag, inline };
  }

  let current: Digest | undefined = older;
  const held = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const node = (slow: boolean) =>
    ociPeer({
      registry: {
        ...{ name: "backup", endpoint: there.url, repository: "{repository}" },
        ...{ account: testAccount, credentials: basicCredentials("root", "secret") },
      },
      currentTag: async () => current,
      clock: systemClock,
      settings: { ...quickSettings, answerMilliseconds: 60_000 },
      async fetch(url, init) {
        if (slow && init.method === "PUT" && url.endsWith("/manifests/1")) {
          reached.resolve();
          await held.promise;
        }
        return fetch(url, init);
      },
    });
  const signal = new AbortController().signal;
  const late = node(true).offer(await offerOf(older), signal);
  await reached.promise;
  current = newer;
  const quick = await node(false).offer(await offerOf(newer), signal);
  expect(quick).toEqual({ outcome: "applied", tag: "set" });
  held.resolve();
  expect(await late).toEqual({ outcome: "applied", tag: "kept" });
  expect((await findManifest(there.context, address, { tag: "1" })).digest).toBe(newer);

  // And a retry of what was cut off before it could look again finds the tag as it left it.
  current = older;
  await node(false).offer(await offerOf(older), signal);
  current = newer;
  const retried = await node(false).offer(await offerOf(older), signal);
  expect(retried).toEqual({ outcome: "applied", tag: "kept" });
  expect((await findManifest(there.context, address, { tag: "1" })).digest).toBe(newer);

  // Of a tag that is gone here nothing is said there.
  current = undefined;
  const gone = await node(false).offer(await offerOf(older), signal);
  expect(gone).toEqual({ outcome: "applied", tag: "kept" });
});
