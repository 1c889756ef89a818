/** Where an image is: a row for each destination and tag. */
import * as v from "valibot";
import { findManifest } from "../../registry/find-manifest.ts";
import { imageReplications, type ReplicationStatus } from "../../replication/status.ts";
import type { ImagePlace, ImagePlacesAnswer } from "../api-types.ts";
import { defineEndpoint } from "../endpoint.ts";
import { accountOf, imageReference, onRepository } from "../input.ts";
import { referenceOf } from "./image.ts";

export const getImagePlaces = defineEndpoint({
  name: "console.get-image-places",
  method: "GET",
  path: "image-places",
  summary: "How far an image is at each destination, and why it is not further.",
  input: v.object(imageReference),
  permissions: (call, input) => onRepository(call, input, "DescribeImageReplicationStatus"),
  async handle(call, input): Promise<ImagePlacesAnswer> {
    const { registry, clock } = call.services;
    call.context.log.repository = input.repository;
    const address = { account: accountOf(call, input), repository: input.repository };
    const reference = referenceOf(input);
    // An image that is not here is an error, and not one that is nowhere.
    await findManifest(registry, address, reference);
    const statuses = (await imageReplications(registry.metadata.read, address, reference)) ?? [];
    const now = clock.now();
    return { here: registry.region, places: statuses.map((status) => placeOf(status, now)) };
  },
});

function placeOf(status: ReplicationStatus, now: number): ImagePlace {
  const { completedAt, pushedAt, failure, tag } = status;
  return {
    region: status.region,
    account: status.registryId,
    ...(tag !== undefined && { tag }),
    state: status.state,
    pushedAt,
    ...(completedAt !== undefined && { completedAt }),
    lagMilliseconds: Math.max(0, (completedAt ?? now) - pushedAt),
    attempts: status.attempts,
    bytesSent: status.bytesSent,
    bytesRemaining: status.bytesRemaining,
    ...(failure !== undefined && { failure }),
  };
}
