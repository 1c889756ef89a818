/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DeleteRegistryPolicy.html */
import type { DeleteRegistryPolicyResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { registryPolicyKind, registryPolicyName } from "../../../registry/policy-kinds.ts";
import { deleteSetting } from "../../../registry/registry-setting.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";

export const DeleteRegistryPolicy = operation({
  input: v.object({}),
  permission: onRegistry("DeleteRegistryPolicy"),
  async handle(call): Promise<Wire<DeleteRegistryPolicyResponse>> {
    const { account, arn } = call.principal;
    const { policyText } = await deleteSetting(
      call.service.registry,
      registryPolicyKind,
      "registry_policy",
      { account, name: registryPolicyName, actor: arn },
    );
    return { registryId: account, policyText };
  },
});
