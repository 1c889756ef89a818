/** What a lifecycle policy would do with a repository as it is now. */
import type { Queryable } from "../../metadata/metadata-store.ts";
import {
  selectImages,
  selectIndexedDigests,
  selectTagsOfDigests,
} from "../../metadata/queries/images.ts";
import { decideLifecycle, type LifecycleImage } from "./decide.ts";
import type { LifecycleDecision, LifecycleRule } from "./policy.ts";

const batch = 1000;

export async function evaluateLifecycle(
  db: Queryable,
  repositoryId: number,
  rules: readonly LifecycleRule[],
  now: number,
): Promise<LifecycleDecision<LifecycleImage>[]> {
  const images: LifecycleImage[] = [];
  const indexed = await selectIndexedDigests(db, repositoryId);
  for (let after = ""; ; ) {
    const page = { tagStatus: "ANY", after, limit: batch } as const;
    const rows = await selectImages(db, repositoryId, page);
    const digests = rows.map(({ digest }) => digest);
    const tags = await selectTagsOfDigests(db, repositoryId, digests);
    for (const row of rows) {
      images.push({
        digest: row.digest,
        tags: tags.get(row.digest) ?? [],
        pushedAt: row.pushed_at,
        pulledAt: row.pulled_at ?? undefined,
        archivedAt: row.archived_at ?? undefined,
        activatedAt: row.activated_at ?? undefined,
        storageClass: row.storage_class,
        subject: row.subject ?? undefined,
        indexed: indexed.has(row.digest),
      });
    }
    const last = digests.at(-1);
    if (rows.length < batch || last === undefined) break;
    after = last;
  }
  return decideLifecycle(rules, images, now);
}
