/** Deletes a tag, or a manifest with all its tags. */
import { deleteManifest } from "../../registry/delete-manifest.ts";
import { deleteTag } from "../../registry/delete-tag.ts";
import type { Endpoint } from "../endpoint.ts";
import { requireReference } from "../input.ts";

export const deleteManifestEndpoint: Endpoint = {
  id: "end-9",
  name: "delete-manifest",
  method: "DELETE",
  route: "manifest",
  action: "ecr:BatchDeleteImage",
  documentation: {
    summary: "Deletes a tag; or by digest a manifest with all its tags.",
    success: { 202: "it is gone" },
    errors: ["digest_invalid", "tag_invalid", "repository_unknown", "manifest_unknown"],
  },
  async handle({ context, account, repository, reference, actor }) {
    const target = requireReference(reference);
    const address = { account, repository, actor };
    if ("tag" in target) await deleteTag(context, { ...address, ...target });
    else await deleteManifest(context, { ...address, ...target });
    return new Response(null, { status: 202, headers: { "Content-Length": "0" } });
  },
};
