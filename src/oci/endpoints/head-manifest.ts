/** Asks for a manifest's digest, type and length. */
import { isNotModified } from "../conditional.ts";
import type { Endpoint } from "../endpoint.ts";
import { upstreamErrors } from "../errors.ts";
import { lookUpManifest, manifestHeaders } from "./get-manifest.ts";

export const headManifest: Endpoint = {
  id: "end-3",
  name: "head-manifest",
  method: "HEAD",
  route: "manifest",
  action: "ecr:BatchGetImage",
  documentation: {
    summary: "Tells a manifest's digest, type and length.",
    success: { 200: "it is there", 304: "If-None-Match names the manifest's ETag" },
    errors: [
      "digest_invalid",
      "tag_invalid",
      "repository_unknown",
      "manifest_unknown",
      ...upstreamErrors,
    ],
  },
  async handle(input) {
    const manifest = await lookUpManifest(input);
    const headers = manifestHeaders(manifest);
    if (isNotModified(input.request, manifest.digest)) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(null, {
      headers: { ...headers, "Content-Length": String(manifest.bytes.byteLength) },
    });
  },
};
