/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRegistryScanningConfiguration.html */
import type { GetRegistryScanningConfigurationResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { findDocument } from "../../../registry/documents.ts";
import {
  defaultScanningConfiguration,
  scanningConfigurationKind,
  scanningConfigurationName,
} from "../../../registry/scanning-configuration.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { scanningShape } from "../scanning-shape.ts";

export const GetRegistryScanningConfiguration = operation({
  input: v.object({}),
  permission: onRegistry("GetRegistryScanningConfiguration"),
  async handle(call): Promise<Wire<GetRegistryScanningConfigurationResponse>> {
    const { account } = call.principal;
    const { read } = call.service.registry.metadata;
    const name = scanningConfigurationName;
    const found = await findDocument(read, scanningConfigurationKind, account, name);
    return {
      registryId: account,
      scanningConfiguration: scanningShape(found?.value ?? defaultScanningConfiguration),
    };
  },
});
