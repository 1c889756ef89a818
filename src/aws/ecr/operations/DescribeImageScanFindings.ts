/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImageScanFindings.html */
import * as v from "valibot";
import { AwsError } from "../../errors.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { resolveImageId } from "../resolve-image-id.ts";
import { imageIdentifier, maxResults, nextToken, repositoryTarget } from "../shapes.ts";

export const DescribeImageScanFindings = operation({
  input: v.object({
    ...repositoryTarget,
    imageId: imageIdentifier,
    nextToken,
    maxResults: maxResults(),
  }),
  permission: onRepository("DescribeImageScanFindings"),
  async handle(call, input): Promise<never> {
    const address = addressOf(call, input);
    const digest = await resolveImageId(call.service.registry, address, input.imageId);
    throw new AwsError(
      "ScanNotFoundException",
      `Image scan does not exist for the image with '{imageDigest:'${digest}', imageTag:'${input.imageId.imageTag ?? "null"}'}' in the repository with name '${address.repository}' in the registry with id '${address.account}'`,
    );
  },
});
