/**
 * Manifests and tags at a registry: children before those that refer to them, the tag last, every
 * digest compared with what the registry answers.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
 */
import { type Digest, digestAlgorithm, digestOf } from "../../image/digest.ts";
import { keyedMutex } from "../../registry/keyed-mutex.ts";
import type { ClosureManifest } from "../closure.ts";
import { ReplicationFailure } from "../failure.ts";
import type { Offer, TagOutcome } from "../offer.ts";
import { referrersTag } from "./referrers-tag.ts";
import type { RegistryAnswer, RegistryClient } from "./registry-client.ts";
import { errorOf, registryFailure } from "./registry-failure.ts";

/** What a tag of this region points at now; undefined when it is not there. */
export type CurrentTag = (
  account: string,
  repository: string,
  tag: string,
) => Promise<Digest | undefined>;

export interface ManifestPuts {
  /** @throws ReplicationFailure */
  putImage(repository: string, offer: Offer, signal: AbortSignal): Promise<TagOutcome>;
}

/** Rounds in which the tag was moved at the source while it was set at the registry. */
const roundsLimit = 10;
const manifestBytesLimit = 64 * 1024 * 1024;
/** Codes by which a registry says that it lacks what a manifest refers to. */
const missingCodes = new Set(["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"]);

interface HeldManifest {
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export function manifestPuts(client: RegistryClient, currentTag: CurrentTag): ManifestPuts {
  const { name } = client;
  const tags = keyedMutex();
  const referrers = referrersTag(client);
  const pathOf = (repository: string, reference: string) =>
    `/v2/${repository}/manifests/${reference}`;

  /** The digest under a reference; undefined when there is nothing. */
  async function look(
    repository: string,
    reference: string,
    accept: string,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const request = { target: pathOf(repository, reference), repositories: [repository], signal };
    const headers = { accept };
    const answer = await client.request({ ...request, method: "HEAD", headers });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw registryFailure(name, `a look at ${reference}`, answer);
    const digest = answer.headers.get("docker-content-digest");
    if (digest !== null) return digest;
    // A registry need not say it: then the bytes do.
    const held = await get(repository, reference, accept, signal);
    return held && digestOf(held.bytes);
  }

  async function get(
    repository: string,
    reference: string,
    accept: string,
    signal: AbortSignal,
  ): Promise<HeldManifest | undefined> {
    const answer = await client.request({
      method: "GET",
      target: pathOf(repository, reference),
      repositories: [repository],
      headers: { accept },
      answerBytesLimit: manifestBytesLimit,
      signal,
    });
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw registryFailure(name, `a look at ${reference}`, answer);
    return { mediaType: answer.headers.get("content-type") ?? "", bytes: answer.bytes };
  }

  function put(
    repository: string,
    reference: string,
    { mediaType, bytes }: HeldManifest,
    signal: AbortSignal,
  ): Promise<RegistryAnswer> {
    return client.request({
      method: "PUT",
      target: pathOf(repository, reference),
      repositories: [repository],
      headers: { "content-type": mediaType },
      bytes: new Blob([bytes]),
      signal,
    });
  }

  async function ensure(
    repository: string,
    manifest: ClosureManifest,
    offer: Offer,
    signal: AbortSignal,
  ): Promise<void> {
    const { digest, mediaType } = manifest;
    if ((await look(repository, digest, mediaType, signal)) !== undefined) return;
    const answer = await put(repository, digest, manifest, signal);
    if (!isStored(answer)) throw refusal(digest, offer, answer);
    confirm(digest, answer);
  }

  function confirm(digest: Digest, answer: RegistryAnswer): void {
    const stored = answer.headers.get("docker-content-digest");
    if (stored === null || stored === digest) return;
    throw new ReplicationFailure(
      "image_invalid",
      `${name} stored the manifest ${digest} under another digest`,
    );
  }

  function refusal(digest: Digest, offer: Offer, answer: RegistryAnswer): ReplicationFailure {
    const what = `the manifest ${digest}`;
    const { status } = answer;
    const lacks = missingCodes.has(errorOf(answer).code);
    // The blobs were there a moment ago: it is worth another look. What is not at the source either
    // will not come.
    if (lacks && offer.absent.length === 0) {
      return registryFailure(name, what, { ...answer, status: 400 }, "destination_error");
    }
    const final = lacks || [400, 404, 405, 413, 415, 422].includes(status);
    return registryFailure(
      name,
      lacks ? `${what}, of which the source has not everything` : what,
      lacks ? { ...answer, status: 400 } : answer,
      final ? "image_invalid" : "destination_error",
    );
  }

  /**
   * The registry has no versions, so the source decides: a tag is set only while it points at this
   * image here, and when it was moved meanwhile, what it points at now has the last word.
   */
  async function setTag(
    repository: string,
    offer: Offer,
    tag: string,
    signal: AbortSignal,
  ): Promise<TagOutcome> {
    const root = rootOf(offer);
    let outcome: TagOutcome = "kept";
    for (let round = 0; round < roundsLimit; round++) {
      const wanted = await currentTag(offer.account, offer.repository, tag);
      const held = await look(repository, tag, root.mediaType, signal);
      if (wanted === root.digest) {
        if (held === root.digest) return outcome === "set" ? outcome : "unchanged";
        const refused = await putTag(repository, offer, tag, held, signal);
        if (refused) return "immutable";
        outcome = "set";
      } else if (wanted === undefined || held !== root.digest) {
        return "kept";
      } else {
        // An older attempt of ours came in late.
        const newer = await get(repository, wanted, "*/*", signal);
        const intact = newer && digestOf(newer.bytes, digestAlgorithm(wanted)) === wanted;
        // Until it is there, its own replication will set the tag.
        if (!newer || !intact) return "kept";
        const answer = await put(repository, tag, newer, signal);
        if (!isStored(answer)) throw registryFailure(name, `the tag ${tag}`, answer);
      }
      if ((await currentTag(offer.account, offer.repository, tag)) === wanted) {
        return wanted === root.digest ? outcome : "kept";
      }
    }
    throw new ReplicationFailure("destination_error", `the tag ${tag} is moved all the time`);
  }

  /** True when the registry does not let the tag be moved. */
  async function putTag(
    repository: string,
    offer: Offer,
    tag: string,
    held: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const root = rootOf(offer);
    const other = digestAlgorithm(root.digest) !== "sha256";
    const query = new URLSearchParams({ tag });
    const reference = other ? `${root.digest}?${query}` : tag;
    const answer = await put(repository, reference, root, signal);
    if (isStored(answer)) {
      confirm(root.digest, answer);
      if (!other || (await look(repository, tag, root.mediaType, signal)) === root.digest) {
        return false;
      }
      throw new ReplicationFailure(
        "image_invalid",
        `${name} does not set tags for ${digestAlgorithm(root.digest)} digests`,
      );
    }
    const immutable =
      held !== undefined &&
      (errorOf(answer).code === "TAG_INVALID" || answer.status === 409 || answer.status === 412);
    if (!immutable) throw refusal(root.digest, offer, answer);
    await ensure(repository, root, offer, signal);
    return true;
  }

  return {
    async putImage(repository, offer, signal) {
      const outcome = await putManifests(repository, offer, signal);
      for (const manifest of offer.manifests) await referrers.list(repository, manifest, signal);
      return outcome;
    },
  };

  async function putManifests(
    repository: string,
    offer: Offer,
    signal: AbortSignal,
  ): Promise<TagOutcome> {
    const { tag } = offer;
    for (const manifest of offer.manifests) {
      // The root goes under its tag at once, where it has one.
      if (manifest.digest !== offer.digest) await ensure(repository, manifest, offer, signal);
    }
    if (tag === undefined) {
      await ensure(repository, rootOf(offer), offer, signal);
      return "none";
    }
    const key = `${repository}:${tag.name}`;
    const outcome = await tags.runExclusively(key, () =>
      setTag(repository, offer, tag.name, signal),
    );
    if (outcome === "kept") await ensure(repository, rootOf(offer), offer, signal);
    return outcome;
  }
}

function rootOf({ manifests, digest }: Offer): ClosureManifest {
  const root = manifests.find((manifest) => manifest.digest === digest);
  if (root === undefined) throw new Error("an offer without its image");
  return root;
}

const isStored = ({ status }: RegistryAnswer) => status >= 200 && status <= 204;
