/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageSigningStatus.html */
import type { DescribeImageSigningStatusResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import type { Wire } from "../../operation.ts";
import { imageIdShape } from "../image-ids.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { resolveImageId } from "../resolve-image-id.ts";
import { imageIdentifier, repositoryTarget } from "../shapes.ts";

export const DescribeImageSigningStatus = operation({
  input: v.object({ ...repositoryTarget, imageId: imageIdentifier }),
  permission: onRepository("DescribeImageSigningStatus"),
  async handle(call, input): Promise<Wire<DescribeImageSigningStatusResponse>> {
    const address = addressOf(call, input);
    const digest = await resolveImageId(call.service.registry, address, input.imageId);
    return {
      registryId: address.account,
      repositoryName: address.repository,
      imageId: imageIdShape({ digest, tag: input.imageId.imageTag }),
      // Nothing signs here, so no signing was ever begun.
      signingStatuses: [],
    };
  },
});
