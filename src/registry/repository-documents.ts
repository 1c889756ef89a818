/** The documents that belong to a repository and end with it. */
import { documentKind } from "./documents.ts";

/** Name and owner: the repository. `policyText` is what GetRepositoryPolicy gives back. */
export const repositoryPolicyKind = documentKind<{ policyText: string }>(
  "repository-policy",
  "region",
);

/** Name and owner: the repository. The repository's resource tags, by key. */
export const repositoryTagsKind = documentKind<Record<string, string>>("repository-tags", "region");
