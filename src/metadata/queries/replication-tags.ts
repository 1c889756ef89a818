/** Under which tags an image is replicated when it was not just pushed. */
import type { Queryable } from "../metadata-store.ts";

/**
 * The tags that the region has given an image, with their versions; one empty name when it has no
 * tags at all. None for an image that came by replication.
 */
export async function selectOwnTags(
  db: Queryable,
  image: { repositoryId: number; digest: string; origin: string },
): Promise<{ tag: string; clock: string }[]> {
  const rows = await db.all<{ tag: string; clock: string; origin: string }>(
    `select coalesce(t.name, '') as tag, coalesce(t.clock, '') as clock,
       coalesce(t.origin, m.origin) as origin
     from manifests m
     left join tags t on t.repository_id = m.repository_id and t.digest = m.digest
     where m.repository_id = $1 and m.digest = $2 and m.replicated = 0
     order by t.name`,
    [image.repositoryId, image.digest],
  );
  return rows.filter(({ origin }) => origin === image.origin);
}
