/**
 * The kinds of documents that decisions are made from. They are written by the verbs here and read by
 * `access/policy-documents.ts`.
 */
import { documentKind } from "./documents.ts";

/** Name: `registryPolicyName`. */
export const registryPolicyKind = documentKind<{ policyText: string }>("registry-policy", "region");
export const registryPolicyName = "registry";

/** Name: the setting's, such as `REGISTRY_POLICY_SCOPE`. */
export const accountSettingKind = documentKind<{ value: string }>("account-setting", "region");
export const registryPolicyScopeSetting = "REGISTRY_POLICY_SCOPE";
