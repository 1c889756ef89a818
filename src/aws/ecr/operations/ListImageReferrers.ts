/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImageReferrers.html */
import type { ListImageReferrersResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { requireRepository } from "../../../registry/create-repository.ts";
import { listReferrers } from "../../../registry/list-referrers.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { imageDigest, maxResults, nextToken, optional, repositoryTarget } from "../shapes.ts";

const referrersPageSize = 20;
const referrersPageLimit = 50;

export const ListImageReferrers = operation({
  input: v.object({
    ...repositoryTarget,
    subjectId: v.object({ imageDigest }),
    filter: optional(
      v.object({
        artifactTypes: optional(
          v.pipe(v.array(v.pipe(v.string(), v.maxLength(255))), v.maxLength(5)),
        ),
        artifactStatus: optional(v.picklist(["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"])),
      }),
    ),
    nextToken,
    maxResults: maxResults(referrersPageLimit),
  }),
  permission: onRepository("BatchGetImage"),
  async handle(call, input): Promise<Wire<ListImageReferrersResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    await requireRepository(registry.metadata.read, address);
    const subject = input.subjectId.imageDigest;
    const types = input.filter?.artifactTypes ?? [];
    const status = input.filter?.artifactStatus ?? "ACTIVE";
    if (status === "ACTIVATING") return { referrers: [] };
    const binding = ["ListImageReferrers", address.account, address.repository, subject];
    const filters = [types.join("\n"), status];
    const [after = ""] = readPageToken([...binding, ...filters], input.nextToken) ?? [];
    const { referrers, next } = await listReferrers(registry, address, subject, {
      artifactTypes: types.length === 0 ? undefined : types,
      ...(status !== "ANY" && { storageClass: status === "ACTIVE" ? "STANDARD" : "ARCHIVE" }),
      after,
      limit: input.maxResults ?? referrersPageSize,
    });
    return {
      referrers: referrers.map((referrer) => ({
        digest: referrer.digest,
        mediaType: referrer.mediaType,
        size: referrer.size,
        ...(referrer.artifactType !== undefined && { artifactType: referrer.artifactType }),
        ...(referrer.annotations !== undefined && { annotations: referrer.annotations }),
        artifactStatus: referrer.archived ? "ARCHIVED" : "ACTIVE",
      })),
      ...(next !== undefined && { nextToken: pageToken([...binding, ...filters], [next]) }),
    };
  },
});
