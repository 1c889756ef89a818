/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UploadLayerPart.html */
import type { UploadLayerPartResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { appendUpload } from "../../../registry/append-upload.ts";
import { requireRepository } from "../../../registry/create-repository.ts";
import type { Wire } from "../../operation.ts";
import { invalidParameter } from "../errors.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { repositoryTarget, uploadId } from "../shapes.ts";

const partBytesLimit = 20_971_520;
const base64LengthLimit = Math.ceil(partBytesLimit / 3) * 4;

const offset = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));

export const UploadLayerPart = operation({
  bodyBytesLimit: base64LengthLimit + 64 * 1024,
  input: v.object({
    ...repositoryTarget,
    uploadId,
    partFirstByte: offset,
    partLastByte: offset,
    layerPartBlob: v.pipe(
      v.string(),
      v.maxLength(base64LengthLimit),
      v.check((text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text), "Member must be base64"),
    ),
  }),
  permission: onRepository("UploadLayerPart"),
  async handle(call, input): Promise<Wire<UploadLayerPartResponse>> {
    const { registry } = call.service;
    const address = addressOf(call, input);
    const { uploadId, partFirstByte, partLastByte } = input;
    if (partLastByte < partFirstByte) {
      throw invalidParameter("partLastByte", "must not be less than partFirstByte");
    }
    await requireRepository(registry.metadata.read, address);
    const bytes = Buffer.from(input.layerPartBlob, "base64");
    const held = await appendUpload(
      registry,
      { ...address, uploadId },
      { bytes: once(bytes), start: partFirstByte, length: partLastByte - partFirstByte + 1 },
    );
    return {
      registryId: address.account,
      repositoryName: address.repository,
      uploadId,
      lastByteReceived: held - 1,
    };
  },
});

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
