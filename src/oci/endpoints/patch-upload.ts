/** Sends a part of a blob: a chunk with its range, or a stream without one. */
import { appendUpload } from "../../registry/append-upload.ts";
import type { Endpoint } from "../endpoint.ts";
import { bodyErrors } from "../errors.ts";
import { requireUploadId, uploadChunk } from "../input.ts";
import { uploadProgress } from "./get-upload.ts";

export const patchUpload: Endpoint = {
  id: "end-5",
  name: "patch-upload",
  method: "PATCH",
  route: "upload",
  action: "ecr:UploadLayerPart",
  documentation: {
    summary: "Adds to an upload: a stream, or a chunk with its Content-Range.",
    success: { 202: "the bytes are here; Range tells how many" },
    errors: [
      "upload_unknown",
      "upload_range_invalid",
      "parameter_invalid",
      "size_invalid",
      "blob_too_large",
      ...bodyErrors,
    ],
  },
  async handle({ request, context, pace, account, repository, reference }) {
    const uploadId = requireUploadId(reference);
    const upload = { account, repository, uploadId };
    const heldBytes = await appendUpload(context, upload, uploadChunk(request, pace));
    return uploadProgress(202, repository, uploadId, heldBytes);
  },
};
