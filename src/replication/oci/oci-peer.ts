/**
 * Any OCI registry as a destination, behind the same interface as another region: an offer looks for
 * what is missing, the second one puts the manifests and the tag.
 */
import { isRepositoryName } from "../../image/reference.ts";
import type { ClosureBlob } from "../closure.ts";
import { ReplicationFailure } from "../failure.ts";
import type { HttpExchangePorts } from "../http-exchange.ts";
import type { MissingBlob, Offer } from "../offer.ts";
import type { Peer } from "../peer.ts";
import { blobUploads } from "./blob-uploads.ts";
import { type CurrentTag, manifestPuts } from "./manifest-puts.ts";
import type { OciRegistry } from "./registry.ts";
import { registryClient } from "./registry-client.ts";

export interface OciPeerOptions extends Omit<HttpExchangePorts, "name"> {
  readonly registry: OciRegistry;
  readonly currentTag: CurrentTag;
}

/** Requests for one image at the same time, beside the streams of its blobs. */
const looksAtOnce = 8;

export function ociPeer({ registry, currentTag, ...ports }: OciPeerOptions): Peer {
  const client = registryClient(registry, { ...ports, name: registry.name });
  const { createRepository } = registry.credentials;
  const uploads = blobUploads(client, createRepository?.bind(registry.credentials));
  const manifests = manifestPuts(client, currentTag);

  /** @throws ReplicationFailure `account_unknown`, `image_invalid` */
  function placeOf({ account, repository }: { account: string; repository: string }): string {
    const { name } = registry;
    if (account !== registry.account && !registry.repository.includes("{account}")) {
      throw new ReplicationFailure(
        "account_unknown",
        `${name} is a destination of account ${registry.account} only`,
      );
    }
    const place = registry.repository
      .replaceAll("{account}", account)
      .replaceAll("{repository}", repository);
    if (isRepositoryName(place)) return place;
    throw new ReplicationFailure("image_invalid", `${name}: ${place} is not a repository's name`);
  }

  async function missing(
    place: string,
    offer: Offer,
    blob: ClosureBlob,
    signal: AbortSignal,
  ): Promise<MissingBlob | undefined> {
    const { digest, size } = blob;
    if (await uploads.find(place, digest, size, signal)) return undefined;
    const inline = offer.inline.get(digest);
    const offset = await uploads.held(place, digest, size, signal);
    if (inline === undefined || offset > 0) return { digest, offset, busy: false };
    const part = { digest, size, offset: 0, bytes: new Blob([inline]) };
    const answer = await uploads.send(place, part, signal, () => {});
    const held = answer.outcome === "busy" ? 0 : answer.held;
    return held === size ? undefined : { digest, offset: held, busy: false };
  }

  return {
    ownAccountOnly: true,
    async offer(offer, signal) {
      const place = placeOf(offer);
      const found = await inParallel(offer.blobs, looksAtOnce, (blob) =>
        missing(place, offer, blob, signal),
      );
      const blobs = found.filter((blob) => blob !== undefined);
      if (blobs.length > 0) return { outcome: "missing", blobs };
      return { outcome: "applied", tag: await manifests.putImage(place, offer, signal) };
    },
    sendBlob({ account, repository, ...part }, signal, onSent) {
      return uploads.send(placeOf({ account, repository }), part, signal, onSent);
    },
  };
}

/** In the order of the items; the first failure ends it once what is under way has ended. */
async function inParallel<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const run = async () => {
    while (next < items.length && failure === undefined) {
      const at = next++;
      try {
        results[at] = await work(items[at] as T);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, run));
  if (failure !== undefined) throw failure.error;
  return results;
}
