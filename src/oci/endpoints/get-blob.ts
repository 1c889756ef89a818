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
  async handle({ request, context, account, repository, reference }) {
    const digest = requireDigest(reference);
    return blobResponse(request, digest, await readBlob(context, { account, repository, digest }));
  },
};
