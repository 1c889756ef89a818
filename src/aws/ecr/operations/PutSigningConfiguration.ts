/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutSigningConfiguration.html */
import type { PutSigningConfigurationResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { putSetting } from "../../../registry/registry-setting.ts";
import {
  signingConfigurationKind,
  signingConfigurationName,
} from "../../../registry/signing-configuration.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { signingConfigurationOf, signingInput, signingShape } from "../signing-shape.ts";

export const PutSigningConfiguration = operation({
  input: v.object({ signingConfiguration: signingInput }),
  permission: onRegistry("PutSigningConfiguration"),
  async handle(call, input): Promise<Wire<PutSigningConfigurationResponse>> {
    const configuration = signingConfigurationOf(input.signingConfiguration);
    const { account, arn } = call.principal;
    const address = { account, name: signingConfigurationName, actor: arn };
    await putSetting(call.service.registry, signingConfigurationKind, address, configuration);
    return { signingConfiguration: signingShape(configuration) };
  },
});
