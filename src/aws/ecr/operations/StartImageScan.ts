/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_StartImageScan.html */
import * as v from "valibot";
import { AwsError } from "../../errors.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { resolveImageId } from "../resolve-image-id.ts";
import { imageIdentifier, repositoryTarget } from "../shapes.ts";

export const StartImageScan = operation({
  input: v.object({ ...repositoryTarget, imageId: imageIdentifier }),
  permission: onRepository("StartImageScan"),
  async handle(call, input): Promise<never> {
    await resolveImageId(call.service.registry, addressOf(call, input), input.imageId);
    throw new AwsError("ValidationException", "This registry has no image scanner configured");
  },
});
