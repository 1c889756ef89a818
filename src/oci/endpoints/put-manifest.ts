/**
 * Pushes a manifest under a tag, or under its digest with any number of tags.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests
 */
import { mediaTypeWithoutParameters } from "../../image/media-type.ts";
import { RegistryError } from "../../registry/errors.ts";
import { pushManifest } from "../../registry/push-manifest.ts";
import { readBody } from "../body.ts";
import type { Endpoint } from "../endpoint.ts";
import { bodyErrors, ProtocolError } from "../errors.ts";
import { requireReference, requireTag } from "../input.ts";
import { manifestLocation } from "../locations.ts";

/** The specification asks for ten at least. */
const tagParametersLimit = 100;

export const putManifest: Endpoint = {
  id: "end-7a, end-7b",
  name: "put-manifest",
  method: "PUT",
  route: "manifest",
  action: "ecr:PutImage",
  createsRepository: true,
  documentation: {
    summary: "Pushes a manifest under a tag or its digest.",
    success: { 201: "the manifest and its tags are in the repository, durably" },
    query: { tag: "a tag to set besides; up to 100 times" },
    errors: [
      "digest_invalid",
      "tag_invalid",
      "tag_immutable",
      "tags_too_many",
      "digest_mismatch",
      "manifest_invalid",
      "manifest_too_large",
      "manifest_references_unknown",
      "size_invalid",
      "repository_unknown",
      ...bodyErrors,
    ],
  },
  async handle(input) {
    const { request, query, context, pace, account, repository, reference, actor } = input;
    const target = requireReference(reference);
    const named = query.all("tag");
    if (named.length > tagParametersLimit) {
      throw new ProtocolError("tags_too_many", `more than ${tagParametersLimit} tag parameters`);
    }
    const tags = [...new Set([...("tag" in target ? [target.tag] : []), ...named.map(requireTag)])];
    const pushed = await pushManifest(context, {
      account,
      repository,
      actor,
      mayCreate: input.mayCreate,
      tags,
      bytes: await readBody(request, context.settings.manifestBytesLimit, pace),
      contentType: contentType(request),
      ...("digest" in target && { digest: target.digest }),
    });
    const headers = new Headers({
      "Content-Length": "0",
      "Docker-Content-Digest": pushed.digest,
      Location: manifestLocation(repository, pushed.digest),
    });
    if (pushed.subject !== undefined) headers.set("OCI-Subject", pushed.subject);
    if (named.length > 0) headers.set("OCI-Tag", tags.join(", "));
    for (const warning of pushed.warnings) headers.append("Warning", `299 - "${warning}"`);
    return new Response(null, { status: 201, headers });
  },
};

/** @throws manifest_invalid */
function contentType(request: Request): string | undefined {
  const header = request.headers.get("content-type");
  if (header === null) return undefined;
  const type = mediaTypeWithoutParameters(header);
  if (type.length > 255 || !/^[\x21-\x7e]*$/.test(type)) {
    throw new RegistryError("manifest_invalid", { reason: "the Content-Type is malformed" });
  }
  return type;
}
