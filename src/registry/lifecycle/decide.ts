/** Which images a lifecycle policy takes: pure. */
import type { StorageClass } from "../../metadata/queries/images.ts";
import { matchesWildcard } from "../wildcard.ts";
import type { LifecycleDecision, LifecycleRule } from "./policy.ts";

export interface LifecycleImage {
  readonly digest: string;
  readonly tags: readonly string[];
  /** Times are milliseconds since the epoch. */
  readonly pushedAt: number;
  readonly pulledAt: number | undefined;
  readonly archivedAt: number | undefined;
  /** When it was restored from the archive. */
  readonly activatedAt: number | undefined;
  readonly storageClass: StorageClass;
  readonly subject: string | undefined;
  /** An index of the repository refers to it: it stays while that is there. */
  readonly indexed: boolean;
}

const day = 24 * 3600_000;

/**
 * Every rule looks at all images of its class; the rules then get their images by priority. One that
 * a rule is about is not for any later rule, also when the first leaves it, and counts in all.
 * A referrer is taken with its subject.
 */
export function decideLifecycle(
  rules: readonly LifecycleRule[],
  images: readonly LifecycleImage[],
  now: number,
): LifecycleDecision<LifecycleImage>[] {
  const present = new Set(images.map(({ digest }) => digest));
  const isReferrer = ({ subject }: LifecycleImage) => subject !== undefined && present.has(subject);
  const candidates = images.filter((image) => !image.indexed && !isReferrer(image));
  const claimed = new Set<string>();
  const decisions = new Map<string, LifecycleDecision<LifecycleImage>>();
  for (const rule of rules) {
    const about = candidates.filter((image) => isAbout(rule, image));
    for (const image of takenBy(rule, about, now)) {
      if (claimed.has(image.digest)) continue;
      const { priority, action } = rule;
      decisions.set(image.digest, { image, rulePriority: priority, action });
    }
    for (const { digest } of about) claimed.add(digest);
  }
  return [...decisions.values(), ...followers(images, decisions)];
}

/** Referrers of what is taken, and their referrers. */
function followers(
  images: readonly LifecycleImage[],
  decisions: ReadonlyMap<string, LifecycleDecision<LifecycleImage>>,
): LifecycleDecision<LifecycleImage>[] {
  const bySubject = Map.groupBy(images, ({ subject }) => subject);
  const taken = new Map(decisions);
  const found: LifecycleDecision<LifecycleImage>[] = [];
  const waiting = [...decisions.values()];
  for (let decision = waiting.pop(); decision !== undefined; decision = waiting.pop()) {
    for (const image of bySubject.get(decision.image.digest) ?? []) {
      if (image.indexed || taken.has(image.digest)) continue;
      if (decision.action === "archive" && image.storageClass === "ARCHIVE") continue;
      const follower = { ...decision, image };
      taken.set(image.digest, follower);
      found.push(follower);
      waiting.push(follower);
    }
  }
  return found;
}

function isAbout(rule: LifecycleRule, { storageClass, tags }: LifecycleImage): boolean {
  if (storageClass !== rule.storageClass) return false;
  switch (rule.tagStatus) {
    case "any":
      return true;
    case "untagged":
      return tags.length === 0;
    case "tagged":
      return (
        tags.length > 0 &&
        rule.tagPatterns.every((pattern) => tags.some((tag) => matchesWildcard(pattern, tag)))
      );
  }
}

function takenBy(
  { countType, countNumber }: LifecycleRule,
  images: readonly LifecycleImage[],
  now: number,
): readonly LifecycleImage[] {
  const arrived = ({ activatedAt, pushedAt }: LifecycleImage) => activatedAt ?? pushedAt;
  const since = (at: (image: LifecycleImage) => number) =>
    images.filter((image) => now - at(image) >= countNumber * day);
  switch (countType) {
    case "imageCountMoreThan":
      return [...images]
        .sort((a, b) => arrived(b) - arrived(a) || (a.digest < b.digest ? -1 : 1))
        .slice(countNumber);
    case "sinceImagePushed":
      return since(arrived);
    case "sinceImagePulled":
      return since((image) => Math.max(image.pulledAt ?? 0, arrived(image)));
    case "sinceImageTransitioned":
      return since(({ archivedAt, pushedAt }) => archivedAt ?? pushedAt);
  }
}
