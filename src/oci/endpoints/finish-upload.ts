/** Ends an upload: the last bytes, if any, and the digest of the whole. */
import { finishUpload } from "../../registry/finish-upload.ts";
import { contentLength } from "../body.ts";
import type { Endpoint } from "../endpoint.ts";
import { bodyErrors } from "../errors.ts";
import { requireDigest, requireUploadId, uploadChunk } from "../input.ts";
import { created } from "./start-upload.ts";

export const finishUploadEndpoint: Endpoint = {
  id: "end-6",
  name: "finish-upload",
  method: "PUT",
  route: "upload",
  action: "ecr:CompleteLayerUpload",
  furtherActions: [
    {
      action: "ecr:UploadLayerPart",
      when: "the request has the last bytes",
      isNeeded: ({ request }) => mayHaveBody(request),
    },
  ],
  documentation: {
    summary: "Ends an upload, with the last bytes if there are any left.",
    success: { 201: "the blob is in the repository, durably" },
    query: { digest: "of the whole blob: required" },
    errors: [
      "digest_invalid",
      "digest_mismatch",
      "upload_unknown",
      "upload_range_invalid",
      "parameter_invalid",
      "size_invalid",
      "blob_too_large",
      ...bodyErrors,
    ],
  },
  async handle({ request, query, context, pace, account, repository, reference }) {
    const digest = requireDigest(query.get("digest"));
    const upload = { account, repository, uploadId: requireUploadId(reference) };
    await finishUpload(context, upload, digest, uploadChunk(request, pace));
    return created(repository, digest);
  },
};

/** Without a length there may be a body, and nobody knows before it was read. */
function mayHaveBody(request: Request): boolean {
  return request.body !== null && contentLength(request) !== 0;
}
