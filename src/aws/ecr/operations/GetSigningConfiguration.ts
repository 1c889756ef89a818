/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetSigningConfiguration.html */
import type { GetSigningConfigurationResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { requireSetting } from "../../../registry/registry-setting.ts";
import {
  signingConfigurationKind,
  signingConfigurationName,
} from "../../../registry/signing-configuration.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { signingShape } from "../signing-shape.ts";

export const GetSigningConfiguration = operation({
  input: v.object({}),
  permission: onRegistry("GetSigningConfiguration"),
  async handle(call): Promise<Wire<GetSigningConfigurationResponse>> {
    const { account } = call.principal;
    const configuration = await requireSetting(
      call.service.registry,
      signingConfigurationKind,
      "signing_configuration",
      { account, name: signingConfigurationName },
    );
    return { registryId: account, signingConfiguration: signingShape(configuration) };
  },
});
