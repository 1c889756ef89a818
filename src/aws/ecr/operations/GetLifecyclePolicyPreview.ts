/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetLifecyclePolicyPreview.html */
import type { GetLifecyclePolicyPreviewResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { findLifecyclePreview } from "../../../registry/lifecycle-policies.ts";
import { epochSeconds, type Wire } from "../../operation.ts";
import { invalidParameter } from "../errors.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { imageIdentifier, maxResults, nextToken, optional, repositoryTarget } from "../shapes.ts";

const previewPageLimit = 100;

export const GetLifecyclePolicyPreview = operation({
  input: v.object({
    ...repositoryTarget,
    imageIds: optional(v.pipe(v.array(imageIdentifier), v.minLength(1), v.maxLength(100))),
    nextToken,
    maxResults: maxResults(previewPageLimit),
    filter: optional(v.object({ tagStatus: optional(v.picklist(["TAGGED", "UNTAGGED", "ANY"])) })),
  }),
  permission: onRepository("GetLifecyclePolicyPreview"),
  async handle(call, input): Promise<Wire<GetLifecyclePolicyPreviewResponse>> {
    const address = addressOf(call, input);
    const { account, repository } = address;
    const { imageIds } = input;
    if (imageIds !== undefined && (input.nextToken ?? input.maxResults) !== undefined) {
      throw invalidParameter("nextToken", "imageIds and a page can not be asked for together");
    }
    const { text, decisions } = await findLifecyclePreview(call.service.registry, address);
    const status = input.filter?.tagStatus ?? "ANY";
    const binding = ["GetLifecyclePolicyPreview", account, repository, status];
    const [after = ""] = readPageToken(binding, input.nextToken) ?? [];
    const limit = input.maxResults ?? previewPageLimit;
    const wanted = decisions.filter(({ image: { digest, tags } }) => {
      if (imageIds !== undefined) {
        return imageIds.some(
          ({ imageDigest, imageTag }) =>
            (imageDigest === undefined || imageDigest === digest) &&
            (imageTag === undefined || tags.includes(imageTag)),
        );
      }
      if (status !== "ANY" && (status === "TAGGED") !== tags.length > 0) return false;
      return digest > after;
    });
    const page = wanted.slice(0, limit);
    const last = wanted.length > limit ? page.at(-1) : undefined;
    const archived = decisions.filter(({ action }) => action === "archive").length;
    return {
      registryId: account,
      repositoryName: repository,
      lifecyclePolicyText: text,
      status: "COMPLETE",
      previewResults: page.map(({ image, action, rulePriority }) => ({
        ...(image.tags.length > 0 && { imageTags: [...image.tags] }),
        imageDigest: image.digest,
        imagePushedAt: epochSeconds(image.pushedAt),
        action:
          action === "expire"
            ? { type: "EXPIRE" }
            : { type: "TRANSITION", targetStorageClass: "ARCHIVE" },
        appliedRulePriority: rulePriority,
        storageClass: image.storageClass,
      })),
      summary: {
        expiringImageTotalCount: decisions.length - archived,
        ...(archived > 0 && {
          transitioningImageTotalCounts: [
            { targetStorageClass: "ARCHIVE", imageTotalCount: archived },
          ],
        }),
      },
      ...(last !== undefined && { nextToken: pageToken(binding, [last.image.digest]) }),
    };
  },
});
