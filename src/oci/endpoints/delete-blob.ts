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
  documentation: {
    summary: "Takes a blob out of a repository. Other repositories keep it.",
    success: { 202: "it is gone" },
    errors: ["digest_invalid", "repository_unknown", "blob_unknown", "blob_in_use"],
  },
  async handle({ context, account, repository, reference, actor }) {
    const digest = requireDigest(reference);
    await deleteBlob(context, { account, repository, actor, digest });
    return new Response(null, { status: 202, headers: { "Content-Length": "0" } });
  },
};
