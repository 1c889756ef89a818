/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetDownloadUrlForLayer.html */
import type { GetDownloadUrlForLayerResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { layerPath } from "../../../access/layer-urls.ts";
import { isImageLayer } from "../../../registry/is-image-layer.ts";
import { AwsError } from "../../errors.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation, registryEndpoint } from "../operation.ts";
import { imageDigest, repositoryTarget } from "../shapes.ts";

export const GetDownloadUrlForLayer = operation({
  input: v.object({ ...repositoryTarget, layerDigest: imageDigest }),
  permission: onRepository("GetDownloadUrlForLayer"),
  async handle(call, input): Promise<Wire<GetDownloadUrlForLayerResponse>> {
    const { registry, layerUrls } = call.service;
    const address = addressOf(call, input);
    const { account } = address;
    const digest = input.layerDigest;
    if (!(await isImageLayer(registry, { ...address, digest }))) {
      throw new AwsError(
        "LayerInaccessibleException",
        `The layer with digest '${digest}' is not referenced by an image of the repository`,
      );
    }
    const endpoint = registryEndpoint(call, account);
    const downloadUrl = `${endpoint}${layerPath}${layerUrls.issue({ ...address, digest })}`;
    return { downloadUrl, layerDigest: digest };
  },
});
