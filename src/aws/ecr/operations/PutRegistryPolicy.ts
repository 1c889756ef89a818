/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutRegistryPolicy.html */
import type { PutRegistryPolicyResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { findAccountSetting } from "../../../registry/account-settings.ts";
import {
  registryPolicyKind,
  registryPolicyName,
  registryPolicyScopeSetting,
} from "../../../registry/policy-kinds.ts";
import { putSetting } from "../../../registry/registry-setting.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { checkRegistryPolicy } from "../policy-text.ts";

export const PutRegistryPolicy = operation({
  input: v.object({ policyText: v.pipe(v.string(), v.maxLength(10_240)) }),
  permission: onRegistry("PutRegistryPolicy"),
  async handle(call, { policyText }): Promise<Wire<PutRegistryPolicyResponse>> {
    const { registry } = call.service;
    const { account, arn } = call.principal;
    const { read } = registry.metadata;
    const scope = await findAccountSetting(read, account, registryPolicyScopeSetting);
    checkRegistryPolicy(policyText, scope === "V1" ? "V1" : "V2");
    const address = { account, name: registryPolicyName, actor: arn };
    await putSetting(registry, registryPolicyKind, address, { policyText });
    return { registryId: account, policyText };
  },
});
