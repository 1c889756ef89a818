/**
 * Which manifest a tag points at when regions disagree: pure, and the same on every side. The newest
 * version wins, wherever and in whatever order versions arrive; deletions count like any other.
 */
import { compareVersions, type Version } from "../registry/hybrid-clock.ts";

/** A tag, or the tombstone of one that was deleted. */
export interface TagState {
  readonly kind: "tag" | "tombstone";
  readonly digest: string;
  readonly version: Version;
}

export type TagDecision =
  /** The incoming state is newer. */
  | "accept"
  /** It is the state that is here. */
  | "same"
  /** What is here is newer. */
  | "keep";

export function decide(local: TagState | undefined, incoming: TagState): TagDecision {
  if (local === undefined) return "accept";
  const order = compareVersions(incoming.version, local.version) || compareContent(incoming, local);
  if (order === 0) return "same";
  return order > 0 ? "accept" : "keep";
}

/**
 * One region never gives the same version twice, so this decides only when a clock was set back or a
 * region's name was used twice. Then all regions must still agree.
 */
function compareContent(a: TagState, b: TagState): number {
  if (a.kind !== b.kind) return a.kind === "tombstone" ? 1 : -1;
  if (a.digest !== b.digest) return a.digest < b.digest ? -1 : 1;
  return 0;
}

/** True for two states that claim the same version and differ: a bug somewhere, to be reported. */
export function isSplit(local: TagState | undefined, incoming: TagState): boolean {
  return (
    local !== undefined &&
    compareVersions(local.version, incoming.version) === 0 &&
    compareContent(local, incoming) !== 0
  );
}
