/**
 * The documents of a registry that decisions are made from. They are written by the ECR operations
 * with `changeDocument`, and a change is in force as soon as it is committed.
 */
import type { MetadataStore } from "../metadata/metadata-store.ts";
import { findDocument } from "../registry/documents.ts";
import {
  accountSettingKind,
  registryPolicyKind,
  registryPolicyName,
  registryPolicyScopeSetting,
} from "../registry/policy-kinds.ts";
import { repositoryPolicyKind, repositoryTagsKind } from "../registry/repository-documents.ts";
import type { RegistryPolicyScope, ResourceSource } from "./policy-source.ts";

/** A new registry's, since December 2024. */
export const defaultRegistryPolicyScope: RegistryPolicyScope = "V2";

export function documentResourceSource(metadata: MetadataStore): ResourceSource {
  const { read } = metadata;
  return {
    async repositoryPolicies(account, repository) {
      const [policy, tags] = await Promise.all([
        findDocument(read, repositoryPolicyKind, account, repository),
        findDocument(read, repositoryTagsKind, account, repository),
      ]);
      return {
        ...(policy !== undefined && { policy: policy.value.policyText }),
        tags: tags?.value ?? {},
      };
    },
    async registryPolicies(account) {
      const [policy, setting] = await Promise.all([
        findDocument(read, registryPolicyKind, account, registryPolicyName),
        findDocument(read, accountSettingKind, account, registryPolicyScopeSetting),
      ]);
      return {
        ...(policy !== undefined && { policy: policy.value.policyText }),
        scope: setting?.value.value === "V1" ? "V1" : defaultRegistryPolicyScope,
      };
    },
  };
}
