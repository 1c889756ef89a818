/**
 * The kinds of documents that decisions are made from. They are written by the verbs here and read by
 * `access/policy-documents.ts`.
 */
import { documentKind } from "./documents.ts";

/** Name and owner: the repository. `policyText` is what GetRepositoryPolicy gives back. */
export const repositoryPolicyKind = documentKind<{ policyText: string }>(
  "repository-policy",
  "region",
);

/** Name and owner: the repository. The repository's resource tags, by key. */
export const repositoryTagsKind = documentKind<Record<string, string>>("repository-tags", "region");

/** Name: `registryPolicyName`. */
export const registryPolicyKind = documentKind<{ policyText: string }>("registry-policy", "region");
export const registryPolicyName = "registry";

/** Name: the setting's, such as `REGISTRY_POLICY_SCOPE`. */
export const accountSettingKind = documentKind<{ value: string }>("account-setting", "region");
export const registryPolicyScopeSetting = "REGISTRY_POLICY_SCOPE";
