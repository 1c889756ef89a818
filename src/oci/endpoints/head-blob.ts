/** Asks whether a blob is there: what a client does before it uploads. */
import { statBlob } from "../../registry/find-blob.ts";
import { blobHeadResponse } from "../content.ts";
import type { Endpoint } from "../endpoint.ts";
import { upstreamErrors } from "../errors.ts";
import { requireDigest } from "../input.ts";

export const headBlob: Endpoint = {
  id: "end-2",
  name: "head-blob",
  method: "HEAD",
  route: "blob",
  action: "ecr:BatchCheckLayerAvailability",
  documentation: {
    summary: "Tells whether a blob is there, and its size.",
    success: { 200: "it is", 304: "If-None-Match names the blob's ETag" },
    errors: ["digest_invalid", "repository_unknown", "blob_unknown", ...upstreamErrors],
  },
  async handle(input) {
    const { request, context, account, repository, reference } = input;
    const digest = requireDigest(reference);
    const fetching = await input.cache?.blob(input, digest, input.puller);
    if (fetching !== undefined) return blobHeadResponse(request, digest, await fetching.size);
    const size = await statBlob(context, { account, repository, digest });
    return blobHeadResponse(request, digest, size);
  },
};
