/** Sends a part of a blob: a chunk with its range, or a stream without one. */
import { appendUpload } from "../../registry/append-upload.ts";
import type { Endpoint } from "../endpoint.ts";
import { uploadChunk } from "../input.ts";
import { uploadProgress } from "./get-upload.ts";

export const patchUpload: Endpoint = {
  id: "end-5",
  name: "patch-upload",
  method: "PATCH",
  route: "upload",
  action: "ecr:UploadLayerPart",
  async handle({ request, context, account, repository, reference }) {
    const upload = { account, repository, uploadId: reference };
    const heldBytes = await appendUpload(context, upload, uploadChunk(request));
    return uploadProgress(202, repository, reference, heldBytes);
  },
};
