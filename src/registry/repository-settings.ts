/** What a repository is set to, besides its policies. One that was never set has the defaults. */
import type { Queryable } from "../metadata/metadata-store.ts";
import type { RepositoryAddress } from "./context.ts";
import { documentKind, findDocument } from "./documents.ts";

export type TagMutability =
  | "MUTABLE"
  | "IMMUTABLE"
  /** Immutable but for the tags that a filter matches. */
  | "IMMUTABLE_WITH_EXCLUSION"
  /** Mutable but for the tags that a filter matches. */
  | "MUTABLE_WITH_EXCLUSION";

export interface TagMutabilitySettings {
  readonly tagMutability: TagMutability;
  /** Wildcards; only where the mutability has exclusions. */
  readonly exclusionFilters: readonly string[];
}

export interface RepositorySettings extends TagMutabilitySettings {
  readonly scanOnPush: boolean;
}

export const defaultRepositorySettings: RepositorySettings = {
  tagMutability: "MUTABLE",
  exclusionFilters: [],
  scanOnPush: false,
};

/** Name and owner: the repository. */
export const repositorySettingsKind = documentKind<RepositorySettings>(
  "repository-settings",
  "region",
);

export async function findRepositorySettings(
  db: Queryable,
  { account, repository }: RepositoryAddress,
): Promise<RepositorySettings> {
  const document = await findDocument(db, repositorySettingsKind, account, repository);
  return document?.value ?? defaultRepositorySettings;
}
