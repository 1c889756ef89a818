/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html */
import type { PutImageResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { mediaTypeWithoutParameters } from "../../../image/media-type.ts";
import { isTag } from "../../../image/reference.ts";
import { requireRepository } from "../../../registry/create-repository.ts";
import { pushManifest } from "../../../registry/push-manifest.ts";
import { AwsError } from "../../errors.ts";
import type { Wire } from "../../operation.ts";
import { imageIdShape } from "../image-ids.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { imageDigest, optional, repositoryTarget } from "../shapes.ts";

const manifestLengthLimit = 4 * 1024 * 1024;

export const PutImage = operation({
  // Every character of a manifest may need two in JSON.
  bodyBytesLimit: 2 * manifestLengthLimit + 64 * 1024,
  input: v.object({
    ...repositoryTarget,
    imageManifest: v.pipe(v.string(), v.minLength(1), v.maxLength(manifestLengthLimit)),
    imageManifestMediaType: optional(v.pipe(v.string(), v.maxLength(255))),
    imageTag: optional(
      v.pipe(
        v.string(),
        v.minLength(1),
        v.maxLength(300),
        v.check(isTag, "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'"),
      ),
    ),
    imageDigest: optional(imageDigest),
  }),
  permission: onRepository("PutImage"),
  async handle(call, input): Promise<Wire<PutImageResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    const { account, repository } = address;
    const { imageTag, imageManifest, imageManifestMediaType } = input;
    await requireRepository(registry.metadata.read, address);
    const { digest, mediaType, changed } = await pushManifest(registry, {
      ...address,
      bytes: new TextEncoder().encode(imageManifest),
      contentType: imageManifestMediaType && mediaTypeWithoutParameters(imageManifestMediaType),
      tags: imageTag === undefined ? [] : [imageTag],
      ...(input.imageDigest !== undefined && { digest: input.imageDigest }),
    });
    if (!changed) {
      throw new AwsError(
        "ImageAlreadyExistsException",
        `Image with digest '${digest}' and tag '${imageTag ?? "null"}' already exists in the repository with name '${repository}' in registry with id '${account}'`,
      );
    }
    return {
      image: {
        registryId: account,
        repositoryName: repository,
        imageId: imageIdShape({ digest, tag: imageTag }),
        imageManifest,
        imageManifestMediaType: mediaType,
      },
    };
  },
});
