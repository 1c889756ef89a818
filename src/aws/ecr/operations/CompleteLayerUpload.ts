/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CompleteLayerUpload.html */
import type { CompleteLayerUploadResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { parseDigest } from "../../../image/digest.ts";
import { cancelUpload } from "../../../registry/cancel-upload.ts";
import { requireRepository } from "../../../registry/create-repository.ts";
import { isRegistryError } from "../../../registry/errors.ts";
import { statBlob } from "../../../registry/find-blob.ts";
import { uploadSize } from "../../../registry/find-upload.ts";
import { finishUpload } from "../../../registry/finish-upload.ts";
import { AwsError } from "../../errors.ts";
import type { Wire } from "../../operation.ts";
import { invalidParameter } from "../errors.ts";
import { addressOf, type EcrCall, onRepository, operation } from "../operation.ts";
import { layerDigests, repositoryTarget, uploadId } from "../shapes.ts";

export const CompleteLayerUpload = operation({
  input: v.object({ ...repositoryTarget, uploadId, layerDigests }),
  permission: onRepository("CompleteLayerUpload"),
  async handle(call, input): Promise<Wire<CompleteLayerUploadResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    const { account, repository } = address;
    await requireRepository(registry.metadata.read, address);
    const digests = input.layerDigests.flatMap((text) => parseDigest(text) ?? []);
    // Several are the same layer by several algorithms; the session calculates one of them.
    const digest = digests.find((each) => each.startsWith("sha256:")) ?? digests[0];
    if (digest === undefined || digests.length < input.layerDigests.length) {
      throw invalidParameter("layerDigests", "Members must be sha256 or sha512 digests");
    }
    const upload = { account, repository, uploadId: input.uploadId };
    if ((await uploadSize(registry, upload)) === 0) {
      throw new AwsError("EmptyUploadException", "The upload has no layer parts");
    }
    if (await isThere(call, { ...address, digest })) {
      await cancelUpload(registry, upload);
      throw new AwsError(
        "LayerAlreadyExistsException",
        `Layer with digest '${digest}' already exists in the repository with name '${repository}' in registry with id '${account}'`,
      );
    }
    try {
      await finishUpload(registry, upload, digest);
    } catch (error) {
      if (!isRegistryError(error, "digest_mismatch")) throw error;
      throw new AwsError(
        "InvalidLayerException",
        `Layer upload failed: the digest '${digest}' does not match the layer's '${error.detail.actual}'`,
      );
    }
    return {
      registryId: account,
      repositoryName: repository,
      uploadId: input.uploadId,
      layerDigest: digest,
    };
  },
});

async function isThere(call: EcrCall, blob: Parameters<typeof statBlob>[1]): Promise<boolean> {
  try {
    await statBlob(call.service.registry, blob);
    return true;
  } catch (error) {
    if (isRegistryError(error, "blob_unknown")) return false;
    throw error;
  }
}
