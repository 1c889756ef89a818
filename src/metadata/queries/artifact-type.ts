/** What kind of artifact a manifest says it is, for the filters of replication. */
import type { Queryable } from "../metadata-store.ts";

/** The artifact type, else the media type; empty when the manifest is not there. */
export async function selectArtifactType(
  db: Queryable,
  repositoryId: number,
  digest: string,
): Promise<string> {
  const rows = await db.all<{ artifact_type: string }>(
    `select coalesce(artifact_type, media_type) as artifact_type
     from manifests where repository_id = $1 and digest = $2`,
    [repositoryId, digest],
  );
  return rows[0]?.artifact_type ?? "";
}
