/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImages.html */
import type { ListImagesResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { listImages } from "../../../registry/list-images.ts";
import type { Wire } from "../../operation.ts";
import { imageFilter, imageFilterOf } from "../image-filter.ts";
import { imageIdShape } from "../image-ids.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { maxResults, nextToken, pageSize, repositoryTarget } from "../shapes.ts";

export const ListImages = operation({
  input: v.object({
    ...repositoryTarget,
    nextToken,
    maxResults: maxResults(),
    filter: imageFilter,
  }),
  permission: onRepository("ListImages"),
  async handle(call, input): Promise<Wire<ListImagesResponse>> {
    const address = addressOf(call, input);
    const { account, repository } = address;
    const filter = imageFilterOf(input.filter);
    const binding = ["ListImages", account, repository, JSON.stringify(filter)];
    const [digest = "", tag = ""] = readPageToken(binding, input.nextToken, 2) ?? [];
    const { imageIds, more } = await listImages(call.service.registry, address, {
      ...(filter ?? { tagStatus: "ANY" }),
      after: { digest, tag },
      limit: filter === undefined ? 0 : (input.maxResults ?? pageSize),
    });
    const last = imageIds.at(-1);
    return {
      imageIds: imageIds.map(imageIdShape),
      ...(more &&
        last !== undefined && {
          nextToken: pageToken(binding, [last.digest, last.tag ?? ""]),
        }),
    };
  },
});
