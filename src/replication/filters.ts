/**
 * Which pushes a rule takes. `PREFIX_MATCH` is Amazon ECR's; the other types are this registry's own
 * and taken only where the operator has switched them on. Pure.
 */
import * as v from "valibot";
import { matchesWildcard } from "../registry/wildcard.ts";

/** What a filter of each type of our own looks at, and what it does with what it matches. */
export const ownFilterTypes = {
  PORTOLAN_EXACT: { subject: "repository", excludes: false, exact: true },
  PORTOLAN_WILDCARD: { subject: "repository", excludes: false, exact: false },
  PORTOLAN_EXCLUDE: { subject: "repository", excludes: true, exact: false },
  PORTOLAN_TAG: { subject: "tag", excludes: false, exact: false },
  PORTOLAN_TAG_EXCLUDE: { subject: "tag", excludes: true, exact: false },
  PORTOLAN_ARTIFACT_TYPE: { subject: "artifactType", excludes: false, exact: false },
  PORTOLAN_ARTIFACT_TYPE_EXCLUDE: { subject: "artifactType", excludes: true, exact: false },
} as const satisfies Record<string, FilterKind>;

interface FilterKind {
  readonly subject: keyof FilteredImage;
  readonly excludes: boolean;
  /** The text itself; else `*` stands for any characters. */
  readonly exact: boolean;
}

export type OwnFilterType = keyof typeof ownFilterTypes;
export type FilterType = "PREFIX_MATCH" | OwnFilterType;

export interface ReplicationFilter {
  readonly filter: string;
  readonly filterType: FilterType;
}

/** A push, as filters see it. */
export interface FilteredImage {
  readonly repository: string;
  /** Undefined for a push by digest. */
  readonly tag: string | undefined;
  /**
   * The manifest's artifact type; of an image without one its config's media type, of an index
   * without one its own media type.
   */
  readonly artifactType: string;
}

/** ECR's own pattern: pieces of repository names, also such as end in a separator. */
const prefixPattern = /^(?:[a-z0-9]+(?:[._-][a-z0-9]*)*\/)*[a-z0-9]*(?:[._-][a-z0-9]*)*$/;

const prefixFilter = {
  filter: v.pipe(v.string(), v.minLength(2), v.maxLength(256), v.regex(prefixPattern)),
};

/** What Amazon ECR takes. */
export const prefixFilterSchema = v.object({
  ...prefixFilter,
  filterType: v.picklist(["PREFIX_MATCH"]),
});

const text = (pattern: RegExp) =>
  v.pipe(v.string(), v.minLength(1), v.maxLength(256), v.regex(pattern));
/** Of a repository's name, a tag or a media type, with wildcards. */
const patterns: Record<keyof FilteredImage, v.GenericSchema<string>> = {
  repository: text(/^[a-z0-9._/*-]+$/),
  tag: text(/^[A-Za-z0-9._*-]+$/),
  artifactType: text(/^[A-Za-z0-9!#$&^_.+/*-]+$/),
};
const exactName = text(/^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/);

/** The same, and the types of our own. */
export const everyFilterSchema = v.lazy((input) => {
  const { filterType } = (input ?? {}) as { filterType?: unknown };
  const kind = typeof filterType === "string" ? kindOf(filterType) : undefined;
  const filter =
    kind === undefined ? prefixFilter.filter : kind.exact ? exactName : patterns[kind.subject];
  return v.object({
    filter,
    filterType: v.picklist(["PREFIX_MATCH", ...(Object.keys(ownFilterTypes) as OwnFilterType[])]),
  });
});

function kindOf(filterType: string): FilterKind | undefined {
  return Object.hasOwn(ownFilterTypes, filterType)
    ? ownFilterTypes[filterType as OwnFilterType]
    : undefined;
}

/** Whether the artifact type has to be known to decide. */
export function looksAtArtifactType(filters: readonly ReplicationFilter[] | undefined): boolean {
  return filters?.some(({ filterType }) => kindOf(filterType)?.subject === "artifactType") ?? false;
}

/**
 * Each subject must be matched by one of its including filters, if the rule has any of them, and by
 * none of its excluding ones. So repository filters, tag filters and artifact types narrow each
 * other, while several of a kind add up.
 */
export function filtersTake(
  filters: readonly ReplicationFilter[] | undefined,
  image: FilteredImage,
): boolean {
  const wanted = new Map<keyof FilteredImage, boolean>();
  for (const { filter, filterType } of filters ?? []) {
    const { subject, excludes } = kindOf(filterType) ?? { subject: "repository", excludes: false };
    const value = image[subject];
    const matches = value !== undefined && matchesFilter(filterType, filter, value);
    if (excludes && matches) return false;
    if (!excludes) wanted.set(subject, matches || wanted.get(subject) === true);
  }
  return [...wanted.values()].every(Boolean);
}

function matchesFilter(filterType: FilterType, filter: string, value: string): boolean {
  if (filterType === "PREFIX_MATCH") return value.startsWith(filter);
  return kindOf(filterType)?.exact ? value === filter : matchesWildcard(filter, value);
}
