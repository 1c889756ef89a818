/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html */
import type { BatchDeleteImageResponse, ImageFailure, ImageIdentifier } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import type { RegistryContext, RepositoryAddress } from "../../../registry/context.ts";
import { type Actor, requireRepository } from "../../../registry/create-repository.ts";
import { deleteImage } from "../../../registry/delete-image.ts";
import { findManifest } from "../../../registry/find-manifest.ts";
import type { Wire } from "../../operation.ts";
import {
  failureOf,
  type ImageIdInput,
  imageIdShape,
  imageIds,
  isFailure,
  readImageId,
  tagElsewhere,
} from "../image-ids.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { repositoryTarget } from "../shapes.ts";

export const BatchDeleteImage = operation({
  input: v.object({ ...repositoryTarget, imageIds }),
  permission: onRepository("BatchDeleteImage"),
  async handle(call, input): Promise<Wire<BatchDeleteImageResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    await requireRepository(registry.metadata.read, address);
    const deleted: ImageIdentifier[] = [];
    let failures: ImageFailure[] = [];
    // An index and its images may come in one request in any order.
    let waiting: readonly ImageIdInput[] = input.imageIds;
    for (let before = Number.POSITIVE_INFINITY; waiting.length > 0 && waiting.length < before; ) {
      before = waiting.length;
      const inUse: { id: ImageIdInput; failure: ImageFailure }[] = [];
      failures = failures.filter(({ failureCode }) => failureCode !== referenced);
      for (const id of waiting) {
        const outcome = await deleteOne(registry, address, id);
        if (Array.isArray(outcome)) deleted.push(...outcome);
        else if (outcome.failureCode === referenced) inUse.push({ id, failure: outcome });
        else failures.push(outcome);
      }
      waiting = inUse.map(({ id }) => id);
      failures.push(...inUse.map(({ failure }) => failure));
    }
    return { imageIds: deleted, failures };
  },
});

const referenced = "ImageReferencedByManifestList";

async function deleteOne(
  registry: RegistryContext,
  address: RepositoryAddress & Actor,
  id: ImageIdInput,
): Promise<ImageIdentifier[] | ImageFailure> {
  const selector = readImageId(id);
  if (isFailure(selector)) return selector;
  const { digest, tag } = selector;
  try {
    if (tag !== undefined) {
      if (digest !== undefined) {
        const found = await findManifest(registry, address, { tag });
        if (found.digest !== digest) return tagElsewhere(id);
      }
      const image = await deleteImage(registry, { ...address, tag });
      return [imageIdShape({ digest: image.digest, tag })];
    }
    if (digest === undefined) return [];
    const image = await deleteImage(registry, { ...address, digest });
    if (image.tags.length === 0) return [imageIdShape({ digest })];
    return image.tags.map((name) => imageIdShape({ digest, tag: name }));
  } catch (error) {
    return failureOf(id, error);
  }
}
