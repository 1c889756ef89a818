/** Pulls a manifest: its own bytes with its own media type, whatever Accept says. */
import type { StoredManifest } from "../../registry/find-manifest.ts";
import { findPullableManifest, pullManifest } from "../../registry/pull-manifest.ts";
import { entityTag, isNotModified } from "../conditional.ts";
import type { Endpoint, EndpointInput } from "../endpoint.ts";
import { upstreamErrors } from "../errors.ts";
import { requireReference } from "../input.ts";

export const getManifest: Endpoint = {
  id: "end-3",
  name: "get-manifest",
  method: "GET",
  route: "manifest",
  action: "ecr:BatchGetImage",
  documentation: {
    summary:
      "Pulls a manifest by tag or digest: its own bytes with its own type, whatever Accept says.",
    success: { 200: "the manifest", 304: "If-None-Match names the manifest's ETag" },
    errors: [
      "digest_invalid",
      "tag_invalid",
      "repository_unknown",
      "manifest_unknown",
      ...upstreamErrors,
    ],
  },
  async handle(input) {
    const reference = requireReference(input.reference);
    const manifest =
      (await input.cache?.manifest(input, reference, input.puller)) ??
      (await pullManifest(input.context, input, reference, input.principal.identityArn));
    const headers = manifestHeaders(manifest);
    if (isNotModified(input.request, manifest.digest)) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(manifest.bytes, {
      headers: { ...headers, "Content-Length": String(manifest.bytes.byteLength) },
    });
  },
};

/** For HEAD: it takes nothing, and is not a pull. */
export async function lookUpManifest(input: EndpointInput): Promise<ServedManifest> {
  const reference = requireReference(input.reference);
  return (
    (await input.cache?.manifest(input, reference, input.puller)) ??
    (await findPullableManifest(input.context, input, reference))
  );
}

/** From this registry, or from the upstream of a cache. */
export type ServedManifest = Pick<StoredManifest, "digest" | "mediaType" | "bytes">;

export function manifestHeaders({ digest, mediaType }: ServedManifest): Record<string, string> {
  return {
    "Content-Type": mediaType,
    "Docker-Content-Digest": digest,
    ETag: entityTag(digest),
    "X-Content-Type-Options": "nosniff",
  };
}
