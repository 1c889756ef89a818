/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRegistryPolicy.html */
import type { GetRegistryPolicyResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { registryPolicyKind, registryPolicyName } from "../../../registry/policy-kinds.ts";
import { requireSetting } from "../../../registry/registry-setting.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";

export const GetRegistryPolicy = operation({
  input: v.object({}),
  permission: onRegistry("GetRegistryPolicy"),
  async handle(call): Promise<Wire<GetRegistryPolicyResponse>> {
    const { account } = call.principal;
    const { policyText } = await requireSetting(
      call.service.registry,
      registryPolicyKind,
      "registry_policy",
      { account, name: registryPolicyName },
    );
    return { registryId: account, policyText };
  },
});
