/** Takes a blob out of a repository. */
import { deleteBlob } from "../../registry/delete-blob.ts";
import type { Endpoint } from "../endpoint.ts";
import { requireDigest } from "../input.ts";

export const deleteBlobEndpoint: Endpoint = {
  id: "end-10",
  name: "delete-blob",
  method: "DELETE",
  route: "blob",
  action: "ecr:BatchDeleteImage",
  async handle({ context, account, repository, reference, actor }) {
    const digest = requireDigest(reference);
    await deleteBlob(context, { account, repository, actor, digest });
    return new Response(null, { status: 202, headers: { "Content-Length": "0" } });
  },
};
