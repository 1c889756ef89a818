/**
 * Lists the manifests that name this digest as their subject, as an OCI index.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
import { mediaTypes } from "../../image/media-type.ts";
import { listReferrers } from "../../registry/list-referrers.ts";
import type { Endpoint } from "../endpoint.ts";
import { requireDigest } from "../input.ts";
import { jsonResponse } from "../json-response.ts";

export const getReferrers: Endpoint = {
  id: "end-12a, end-12b",
  name: "get-referrers",
  method: "GET",
  route: "referrers",
  action: "ecr:BatchGetImage",
  documentation: {
    summary: "Lists the manifests that name this digest as their subject, as an OCI index.",
    success: {
      200: "a page, with a Link to the next when there is one; empty when nothing is known",
    },
    query: {
      artifactType: "only those of this type",
      cursor: "from the Link of the page before",
    },
    errors: ["digest_invalid"],
  },
  async handle(input) {
    const { query, context, account, repository, reference } = input;
    const subject = requireDigest(reference);
    await input.cache?.referrers(input, subject, input.puller);
    const artifactType = query.get("artifactType") || undefined;
    const cursor = query.get("cursor");
    const page = await listReferrers(context, { account, repository }, subject, {
      // No artifact type holds a NUL, and not every database takes one.
      artifactTypes:
        artifactType === undefined ? undefined : [artifactType.replaceAll("\0", "\uFFFD")],
      storageClass: "STANDARD",
      after: cursor === undefined ? "" : requireDigest(cursor),
    });
    const headers: Record<string, string> = { "Content-Type": mediaTypes.ociIndex };
    if (artifactType !== undefined) headers["OCI-Filters-Applied"] = "artifactType";
    if (page.next !== undefined) {
      const filter =
        artifactType === undefined ? "" : `&artifactType=${encodeURIComponent(artifactType)}`;
      headers.Link = `</v2/${repository}/referrers/${subject}?cursor=${page.next}${filter}>; rel="next"`;
    }
    const index = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: page.referrers.map(({ archived: _, ...descriptor }) => descriptor),
    };
    return jsonResponse(index, { headers });
  },
};
