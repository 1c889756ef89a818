/** Cancels an upload. */
import { cancelUpload } from "../../registry/cancel-upload.ts";
import type { Endpoint } from "../endpoint.ts";
import { requireUploadId } from "../input.ts";

export const cancelUploadEndpoint: Endpoint = {
  id: "end-14",
  name: "cancel-upload",
  method: "DELETE",
  route: "upload",
  action: "ecr:UploadLayerPart",
  documentation: {
    summary: "Cancels an upload.",
    success: { 204: "it is gone" },
    errors: ["upload_unknown"],
  },
  async handle({ context, account, repository, reference }) {
    await cancelUpload(context, { account, repository, uploadId: requireUploadId(reference) });
    return new Response(null, { status: 204 });
  },
};
