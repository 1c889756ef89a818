/** Pulls a blob. */
import { readBlob } from "../../registry/find-blob.ts";
import { blobResponse } from "../content.ts";
import type { Endpoint } from "../endpoint.ts";
import { requireDigest } from "../input.ts";

export const getBlob: Endpoint = {
  id: "end-2",
  name: "get-blob",
  method: "GET",
  route: "blob",
  action: "ecr:GetDownloadUrlForLayer",
  documentation: {
    summary: "Pulls a blob, whole or in ranges: one, or up to 256 as multipart/byteranges.",
    success: {
      200: "the blob",
      206: "the ranges that were asked for",
      304: "If-None-Match names the blob's ETag",
    },
    errors: ["digest_invalid", "repository_unknown", "blob_unknown", "range_unsatisfiable"],
  },
  async handle({ request, context, account, repository, reference }) {
    const digest = requireDigest(reference);
    return blobResponse(request, digest, await readBlob(context, { account, repository, digest }));
  },
};
