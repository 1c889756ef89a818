/**
 * Referrers at registries without the referrers API: an index under a tag that is made of the
 * subject's digest.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
 */
import * as v from "valibot";
import { digestAlgorithm, digestEncoded } from "../../image/digest.ts";
import { parseManifest } from "../../image/manifest.ts";
import { mediaTypes } from "../../image/media-type.ts";
import { keyedMutex } from "../../registry/keyed-mutex.ts";
import type { ClosureManifest } from "../closure.ts";
import { ReplicationFailure } from "../failure.ts";
import type { RegistryClient } from "./registry-client.ts";
import { parseJson, registryFailure } from "./registry-failure.ts";

export interface ReferrersTag {
  /** Lists a manifest that is there under its subject, if it has one. @throws ReplicationFailure */
  list(repository: string, manifest: ClosureManifest, signal: AbortSignal): Promise<void>;
}

const indexBytesLimit = 4 * 1024 * 1024;
const indexSchema = v.looseObject({
  manifests: v.array(v.looseObject({ digest: v.string() })),
});

export function referrersTag(client: RegistryClient): ReferrersTag {
  const { name } = client;
  const turns = keyedMutex();
  let hasReferrers = false;

  async function supported(repository: string, subject: string, signal: AbortSignal) {
    if (hasReferrers) return true;
    const answer = await client.request({
      method: "GET",
      target: `/v2/${repository}/referrers/${subject}`,
      repositories: [repository],
      answerBytesLimit: indexBytesLimit,
      signal,
    });
    hasReferrers = answer.status === 200;
    if (hasReferrers || answer.status < 500) return hasReferrers;
    throw registryFailure(name, "a look at referrers", answer);
  }

  async function add(
    repository: string,
    tag: string,
    descriptor: { readonly digest: string },
    signal: AbortSignal,
  ): Promise<void> {
    const request = {
      target: `/v2/${repository}/manifests/${tag}`,
      repositories: [repository],
      signal,
    };
    const answer = await client.request({
      ...request,
      method: "GET",
      headers: { accept: mediaTypes.ociIndex },
      answerBytesLimit: indexBytesLimit,
    });
    if (answer.status !== 200 && answer.status !== 404) {
      throw registryFailure(name, `a look at ${tag}`, answer);
    }
    const present = answer.status === 200 ? parseJson(answer.bytes) : { manifests: [] };
    const parsed = v.safeParse(indexSchema, present);
    if (!parsed.success) {
      throw new ReplicationFailure("image_invalid", `${name}: ${tag} is no list of referrers`);
    }
    const { manifests } = parsed.output;
    if (manifests.some(({ digest }) => digest === descriptor.digest)) return;
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [...manifests, descriptor],
    };
    const stored = await client.request({
      ...request,
      method: "PUT",
      headers: { "content-type": mediaTypes.ociIndex },
      bytes: new Blob([JSON.stringify(index)]),
    });
    if (stored.status < 200 || stored.status > 204) {
      throw registryFailure(name, `the list of referrers ${tag}`, stored);
    }
  }

  return {
    async list(repository, { digest, mediaType, bytes }, signal) {
      const { subject, artifactType, annotations } = parseManifest(bytes, mediaType);
      if (subject === undefined || (await supported(repository, subject, signal))) return;
      const tag = `${digestAlgorithm(subject)}-${digestEncoded(subject).slice(0, 64)}`;
      const descriptor = {
        mediaType,
        digest,
        size: bytes.byteLength,
        ...(artifactType && { artifactType }),
        ...(annotations && { annotations }),
      };
      // Read, changed and written: one at a time.
      await turns.runExclusively(`${repository}:${tag}`, () =>
        add(repository, tag, descriptor, signal),
      );
    },
  };
}
