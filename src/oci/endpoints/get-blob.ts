/** Pulls a blob. */
import { readBlob } from "../../registry/find-blob.ts";
import { arrivingBlobResponse, blobResponse } from "../content.ts";
import type { Endpoint } from "../endpoint.ts";
import { upstreamErrors } from "../errors.ts";
import { requireDigest } from "../input.ts";

const waitedForBytes = 1024 * 1024;

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
    errors: [
      "digest_invalid",
      "repository_unknown",
      "blob_unknown",
      "range_unsatisfiable",
      ...upstreamErrors,
    ],
  },
  async handle(input) {
    const { request, context, account, repository, reference } = input;
    const digest = requireDigest(reference);
    const fetching = await input.cache?.blob(input, digest, input.puller);
    if (fetching !== undefined) {
      const size = await fetching.size;
      // A range, or little, is waited for; what is large is passed on as it comes.
      if (size > waitedForBytes && !request.headers.has("range")) {
        return arrivingBlobResponse(digest, size, fetching.stream());
      }
      await fetching.done;
    }
    return blobResponse(request, digest, await readBlob(context, { account, repository, digest }));
  },
};
