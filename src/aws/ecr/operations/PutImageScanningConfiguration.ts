/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImageScanningConfiguration.html */
import type { PutImageScanningConfigurationResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { putScanOnPush } from "../../../registry/put-scan-on-push.ts";
import type { Wire } from "../../operation.ts";
import { addressOf, onRepository, operation } from "../operation.ts";
import { imageScanningConfiguration, repositoryTarget } from "../shapes.ts";

export const PutImageScanningConfiguration = operation({
  input: v.object({ ...repositoryTarget, imageScanningConfiguration }),
  permission: onRepository("PutImageScanningConfiguration"),
  async handle(call, input): Promise<Wire<PutImageScanningConfigurationResponse>> {
    const { scanOnPush } = input.imageScanningConfiguration;
    const address = addressOf(call, input);
    await putScanOnPush(call.service.registry, address, scanOnPush);
    return {
      registryId: address.account,
      repositoryName: address.repository,
      imageScanningConfiguration: { scanOnPush },
    };
  },
});
