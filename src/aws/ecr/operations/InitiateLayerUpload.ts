/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_InitiateLayerUpload.html */
import type { InitiateLayerUploadResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { requireRepository } from "../../../registry/create-repository.ts";
import { startUpload } from "../../../registry/start-upload.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { repositoryTarget } from "../shapes.ts";

/** What ECR proposes; a part may be larger, up to the limit of UploadLayerPart. */
const partSize = 10 * 1024 * 1024;

export const InitiateLayerUpload = operation({
  input: v.object(repositoryTarget),
  permission: onRepository("InitiateLayerUpload"),
  async handle(call, input): Promise<Wire<InitiateLayerUploadResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    await requireRepository(registry.metadata.read, address);
    return { uploadId: await startUpload(registry, address), partSize };
  },
});
