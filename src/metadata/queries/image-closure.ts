/** Queries on image closures, for replication. */
import type { ReferenceRole } from "../../image/manifest.ts";
import type { Queryable } from "../metadata-store.ts";

/** Bytes of all blobs that can be reached from a manifest. */
export async function selectClosureBytes(
  db: Queryable,
  repositoryId: number,
  digest: string,
): Promise<number> {
  const rows = await db.all<{ bytes: number }>(
    `with recursive reached (digest) as (
       select digest from manifests where repository_id = $1 and digest = $2
       union
       select r.digest from reached
       join manifest_references r
         on r.repository_id = $1 and r.manifest = reached.digest and r.role = 'manifest'
     )
     select cast(coalesce(sum(size), 0) as bigint) as bytes from (
       select r.digest, max(r.size) as size from reached
       join manifest_references r on r.repository_id = $1 and r.manifest = reached.digest
       where r.role <> 'manifest' group by r.digest
     ) blob`,
    [repositoryId, digest],
  );
  return Number(rows[0]?.bytes ?? 0);
}

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

export interface OfferManifestRow {
  media_type: string;
  bytes: Uint8Array<ArrayBuffer>;
  origin: string;
}

export async function selectManifestForOffer(
  db: Queryable,
  repositoryId: number,
  digest: string,
): Promise<OfferManifestRow | undefined> {
  const rows = await db.all<OfferManifestRow>(
    "select media_type, bytes, origin from manifests where repository_id = $1 and digest = $2",
    [repositoryId, digest],
  );
  return rows[0];
}

export interface HeldReferenceRow {
  role: ReferenceRole;
  digest: string;
  required: number;
  /** Null when the repository does not have it as a blob. */
  blob_size: number | null;
  is_manifest: number;
}

/** The descriptors of a manifest, each with what the repository has of it. */
export function selectHeldReferences(
  db: Queryable,
  repositoryId: number,
  manifest: string,
): Promise<HeldReferenceRow[]> {
  return db.all<HeldReferenceRow>(
    `select r.role, r.digest, r.required, b.size as blob_size,
       case when m.digest is null then 0 else 1 end as is_manifest
     from manifest_references r
     left join repository_blobs l on l.repository_id = r.repository_id and l.digest = r.digest
     left join blobs b on b.digest = l.digest
     left join manifests m on m.repository_id = r.repository_id and m.digest = r.digest
     where r.repository_id = $1 and r.manifest = $2
     order by r.position`,
    [repositoryId, manifest],
  );
}
