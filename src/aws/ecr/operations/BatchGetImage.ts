/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html */
import type { BatchGetImageResponse, Image, ImageFailure } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { requireRepository } from "../../../registry/create-repository.ts";
import { pullManifest } from "../../../registry/pull-manifest.ts";
import type { Wire } from "../../operation.ts";
import {
  failureOf,
  imageIdShape,
  imageIds,
  isFailure,
  readImageId,
  tagElsewhere,
} from "../image-ids.ts";
import { addressOf, onRepository, operation, pullerOf } from "../operation.ts";
import { optional, repositoryTarget } from "../shapes.ts";

export const BatchGetImage = operation({
  input: v.object({
    ...repositoryTarget,
    imageIds,
    // Every manifest is answered in its own type: another form would have another digest.
    acceptedMediaTypes: optional(v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(100))),
  }),
  permission: onRepository("BatchGetImage"),
  async handle(call, input): Promise<Wire<BatchGetImageResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    const { cache } = call.service;
    let known = false;
    const images: Image[] = [];
    const failures: ImageFailure[] = [];
    for (const id of input.imageIds) {
      const selector = readImageId(id);
      if (isFailure(selector)) {
        failures.push(selector);
        continue;
      }
      const { digest, tag } = selector;
      const reference =
        tag !== undefined ? { tag } : digest !== undefined ? { digest } : { tag: "" };
      try {
        const { identityArn } = call.principal;
        await cache?.manifest(address, reference, pullerOf(call, address), true);
        // Only now: the first pull of a cache makes its repository.
        if (!known) await requireRepository(registry.metadata.read, address);
        known = true;
        const manifest = await pullManifest(registry, address, reference, identityArn);
        if (digest !== undefined && manifest.digest !== digest) {
          failures.push(tagElsewhere(id));
          continue;
        }
        images.push({
          registryId: address.account,
          repositoryName: address.repository,
          imageId: imageIdShape({ digest: manifest.digest, tag }),
          imageManifest: new TextDecoder().decode(manifest.bytes),
          imageManifestMediaType: manifest.mediaType,
        });
      } catch (error) {
        failures.push(failureOf(id, error));
      }
    }
    if (!known) await requireRepository(registry.metadata.read, address);
    return { images, failures };
  },
});
