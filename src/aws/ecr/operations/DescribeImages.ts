/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html */
import type { DescribeImagesResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { describeImagePage, describeImagesByDigest } from "../../../registry/describe-images.ts";
import type { Wire } from "../../operation.ts";
import { invalidParameter } from "../errors.ts";
import { imageDetailShape } from "../image-detail-shape.ts";
import { imageFilter, imageFilterOf } from "../image-filter.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { resolveImageId } from "../resolve-image-id.ts";
import {
  imageIdentifier,
  maxResults,
  nextToken,
  optional,
  pageSize,
  repositoryTarget,
} from "../shapes.ts";

export const DescribeImages = operation({
  input: v.object({
    ...repositoryTarget,
    imageIds: optional(v.pipe(v.array(imageIdentifier), v.minLength(1), v.maxLength(100))),
    nextToken,
    maxResults: maxResults(),
    filter: imageFilter,
  }),
  permission: onRepository("DescribeImages"),
  async handle(call, input): Promise<Wire<DescribeImagesResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    if (input.imageIds !== undefined) {
      if (input.nextToken !== undefined || input.maxResults !== undefined) {
        throw invalidParameter("nextToken", "imageIds and a page can not be asked for together");
      }
      const digests: string[] = [];
      for (const id of input.imageIds) digests.push(await resolveImageId(registry, address, id));
      const images = await describeImagesByDigest(registry, address, digests);
      return {
        imageDetails: [...new Set(digests)].flatMap((digest) => {
          const image = images.get(digest);
          return image === undefined ? [] : [imageDetailShape(address, image)];
        }),
      };
    }
    const filter = imageFilterOf(input.filter);
    const { account, repository } = address;
    const binding = ["DescribeImages", account, repository, JSON.stringify(filter)];
    const [after = ""] = readPageToken(binding, input.nextToken) ?? [];
    const { images, next } = await describeImagePage(registry, address, {
      ...(filter ?? { tagStatus: "ANY" }),
      after,
      limit: filter === undefined ? 0 : (input.maxResults ?? pageSize),
    });
    return {
      imageDetails: images.map((image) => imageDetailShape(address, image)),
      ...(next !== undefined && { nextToken: pageToken(binding, [next]) }),
    };
  },
});
