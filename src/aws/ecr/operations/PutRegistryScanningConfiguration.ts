/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutRegistryScanningConfiguration.html */
import type { PutRegistryScanningConfigurationResponse } from "@aws-sdk/client-ecr";
import { putSetting } from "../../../registry/registry-setting.ts";
import {
  type ScanningConfiguration,
  scanningConfigurationKind,
  scanningConfigurationName,
} from "../../../registry/scanning-configuration.ts";
import type { Wire } from "../../operation.ts";
import { invalidParameter } from "../errors.ts";
import { onRegistry, operation } from "../operation.ts";
import { scanningInput, scanningShape } from "../scanning-shape.ts";

export const PutRegistryScanningConfiguration = operation({
  input: scanningInput,
  permission: onRegistry("PutRegistryScanningConfiguration"),
  async handle(call, input): Promise<Wire<PutRegistryScanningConfigurationResponse>> {
    const scanType = input.scanType ?? "BASIC";
    const configuration: ScanningConfiguration = {
      scanType,
      rules: (input.rules ?? []).map(({ scanFrequency, repositoryFilters }) => ({
        scanFrequency,
        filters: repositoryFilters.map(({ filter }) => filter),
      })),
    };
    const frequencies = configuration.rules.map(({ scanFrequency }) => scanFrequency);
    if (scanType === "BASIC" && frequencies.includes("CONTINUOUS_SCAN")) {
      throw invalidParameter("rules", "CONTINUOUS_SCAN needs the scan type ENHANCED");
    }
    if (new Set(frequencies).size < frequencies.length) {
      throw invalidParameter("rules", "There may be one rule for each scan frequency");
    }
    const { account, arn } = call.principal;
    const address = { account, name: scanningConfigurationName, actor: arn };
    await putSetting(call.service.registry, scanningConfigurationKind, address, configuration);
    return { registryScanningConfiguration: scanningShape(configuration) };
  },
});
