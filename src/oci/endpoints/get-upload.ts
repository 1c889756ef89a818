/** Tells how much of an upload is here, so that the client can go on. */
import { uploadSize } from "../../registry/find-upload.ts";
import type { Endpoint } from "../endpoint.ts";
import { uploadRange } from "../errors.ts";
import { requireUploadId } from "../input.ts";
import { uploadLocation } from "../locations.ts";

export const getUpload: Endpoint = {
  id: "end-13",
  name: "get-upload",
  method: "GET",
  route: "upload",
  action: "ecr:UploadLayerPart",
  documentation: {
    summary: "Tells how much of an upload is here.",
    success: { 204: "Range tells how many bytes" },
    errors: ["upload_unknown"],
  },
  async handle({ context, account, repository, reference }) {
    const uploadId = requireUploadId(reference);
    const heldBytes = await uploadSize(context, { account, repository, uploadId });
    return uploadProgress(204, repository, uploadId, heldBytes);
  },
};

export function uploadProgress(
  status: number,
  repository: string,
  uploadId: string,
  heldBytes: number,
): Response {
  return new Response(null, {
    status,
    headers: {
      ...(status !== 204 && { "Content-Length": "0" }),
      "Docker-Upload-UUID": uploadId,
      Location: uploadLocation(repository, uploadId),
      Range: uploadRange(heldBytes),
    },
  });
}
