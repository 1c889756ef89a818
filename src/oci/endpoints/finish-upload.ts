/** Ends an upload: the last bytes, if any, and the digest of the whole. */
import { finishUpload } from "../../registry/finish-upload.ts";
import type { Endpoint } from "../endpoint.ts";
import { requireDigest, requireUploadId, uploadChunk } from "../input.ts";
import { created } from "./start-upload.ts";

export const finishUploadEndpoint: Endpoint = {
  id: "end-6",
  name: "finish-upload",
  method: "PUT",
  route: "upload",
  action: "ecr:CompleteLayerUpload",
  async handle({ request, query, context, pace, account, repository, reference }) {
    const digest = requireDigest(query.get("digest"));
    const upload = { account, repository, uploadId: requireUploadId(reference) };
    await finishUpload(context, upload, digest, uploadChunk(request, pace));
    return created(repository, digest);
  },
};
