/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchCheckLayerAvailability.html */
import type { BatchCheckLayerAvailabilityResponse, Layer, LayerFailure } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { parseDigest } from "../../../image/digest.ts";
import { requireRepository } from "../../../registry/create-repository.ts";
import { isRegistryError } from "../../../registry/errors.ts";
import { statBlob } from "../../../registry/find-blob.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { layerDigests, repositoryTarget } from "../shapes.ts";

export const BatchCheckLayerAvailability = operation({
  input: v.object({ ...repositoryTarget, layerDigests }),
  permission: onRepository("BatchCheckLayerAvailability"),
  async handle(call, input): Promise<Wire<BatchCheckLayerAvailabilityResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    await requireRepository(registry.metadata.read, address);
    const layers: Layer[] = [];
    const failures: LayerFailure[] = [];
    for (const layerDigest of input.layerDigests) {
      const digest = parseDigest(layerDigest);
      if (digest === undefined) {
        const missing = layerDigest === "";
        failures.push({
          layerDigest,
          failureCode: missing ? "MissingLayerDigest" : "InvalidLayerDigest",
          failureReason: missing
            ? "Invalid request parameters: layer digest cannot be empty"
            : "Invalid request parameters: layer digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        });
        continue;
      }
      try {
        const layerSize = await statBlob(registry, { ...address, digest });
        layers.push({ layerDigest, layerAvailability: "AVAILABLE", layerSize });
      } catch (error) {
        if (!isRegistryError(error, "blob_unknown")) throw error;
        layers.push({ layerDigest, layerAvailability: "UNAVAILABLE" });
      }
    }
    return { layers, failures };
  },
});
