/** Tag mutability as Amazon ECR takes and answers it. */
import type { ImageTagMutabilityExclusionFilter } from "@aws-sdk/client-ecr";
import type { TagMutability, TagMutabilitySettings } from "../../registry/repository-settings.ts";
import { invalidParameter } from "./errors.ts";

interface Input {
  readonly imageTagMutability: TagMutability | undefined;
  readonly imageTagMutabilityExclusionFilters: readonly { readonly filter: string }[] | undefined;
}

/** @throws InvalidParameterException when filters are missing, or given where they mean nothing */
export function tagMutabilityOf(input: Input): TagMutabilitySettings {
  const tagMutability = input.imageTagMutability ?? "MUTABLE";
  const filters = input.imageTagMutabilityExclusionFilters ?? [];
  if (tagMutability.endsWith("_WITH_EXCLUSION") !== filters.length > 0) {
    throw invalidParameter(
      "imageTagMutabilityExclusionFilters",
      filters.length > 0
        ? `Exclusion filters can not be used with the tag mutability ${tagMutability}`
        : `The tag mutability ${tagMutability} needs at least one exclusion filter`,
    );
  }
  return { tagMutability, exclusionFilters: filters.map(({ filter }) => filter) };
}

export function tagMutabilityShape({ tagMutability, exclusionFilters }: TagMutabilitySettings): {
  imageTagMutability: TagMutability;
  imageTagMutabilityExclusionFilters?: ImageTagMutabilityExclusionFilter[];
} {
  return {
    imageTagMutability: tagMutability,
    ...(exclusionFilters.length > 0 && {
      imageTagMutabilityExclusionFilters: exclusionFilters.map((filter) => ({
        filterType: "WILDCARD",
        filter,
      })),
    }),
  };
}
