/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteSigningConfiguration.html */
import type { DeleteSigningConfigurationResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { deleteSetting } from "../../../registry/registry-setting.ts";
import {
  signingConfigurationKind,
  signingConfigurationName,
} from "../../../registry/signing-configuration.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { signingShape } from "../signing-shape.ts";

export const DeleteSigningConfiguration = operation({
  input: v.object({}),
  permission: onRegistry("DeleteSigningConfiguration"),
  async handle(call): Promise<Wire<DeleteSigningConfigurationResponse>> {
    const { account, arn } = call.principal;
    const configuration = await deleteSetting(
      call.service.registry,
      signingConfigurationKind,
      "signing_configuration",
      { account, name: signingConfigurationName, actor: arn },
    );
    return { registryId: account, signingConfiguration: signingShape(configuration) };
  },
});
