/** Whether a tag that points at one manifest may be pointed at another. */
import type { Queryable } from "../metadata/metadata-store.ts";
import type { RepositoryAddress } from "./context.ts";
import { RegistryError } from "./errors.ts";
import { findRepositorySettings, type TagMutabilitySettings } from "./repository-settings.ts";
import { matchesWildcard } from "./wildcard.ts";

export function isMovableTag(
  { tagMutability, exclusionFilters }: TagMutabilitySettings,
  tag: string,
): boolean {
  const excluded = () => exclusionFilters.some((filter) => matchesWildcard(filter, tag));
  switch (tagMutability) {
    case "MUTABLE":
      return true;
    case "IMMUTABLE":
      return false;
    case "IMMUTABLE_WITH_EXCLUSION":
      return excluded();
    case "MUTABLE_WITH_EXCLUSION":
      return !excluded();
  }
}

/** @throws tag_immutable */
export async function requireMovableTag(
  db: Queryable,
  address: RepositoryAddress,
  tag: string,
): Promise<void> {
  if (isMovableTag(await findRepositorySettings(db, address), tag)) return;
  const { account, repository } = address;
  throw new RegistryError("tag_immutable", { tag, repository, account });
}
