/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UpdateImageStorageClass.html */
import type { UpdateImageStorageClassResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { setStorageClass } from "../../../registry/set-storage-class.ts";
import type { Wire } from "../../operation.ts";
import { imageIdShape } from "../image-ids.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { resolveImageId } from "../resolve-image-id.ts";
import { imageIdentifier, repositoryTarget } from "../shapes.ts";

export const UpdateImageStorageClass = operation({
  input: v.object({
    ...repositoryTarget,
    imageId: imageIdentifier,
    targetStorageClass: v.picklist(["STANDARD", "ARCHIVE"]),
  }),
  permission: onRepository("UpdateImageStorageClass"),
  async handle(call, input): Promise<Wire<UpdateImageStorageClassResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    const digest = await resolveImageId(registry, address, input.imageId);
    await setStorageClass(registry, { ...address, digest }, input.targetStorageClass);
    return {
      registryId: address.account,
      repositoryName: address.repository,
      imageId: imageIdShape({ digest, tag: input.imageId.imageTag }),
      imageStatus: input.targetStorageClass === "ARCHIVE" ? "ARCHIVED" : "ACTIVE",
    };
  },
});
