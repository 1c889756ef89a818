/** Queries of the scrubber: pages over everything at rest, and what takes damaged rows away. */
import type { Queryable, Transaction } from "../metadata-store.ts";

/** Blobs behind `after`. */
export function selectBlobsAfter(
  db: Queryable,
  after: string,
  limit: number,
): Promise<{ digest: string; size: number }[]> {
  return db.all("select digest, size from blobs where digest > $1 order by digest limit $2", [
    after,
    limit,
  ]);
}

/** Digests behind `after` that a repository links to, and whether they have a row. */
export function selectLinkedDigestsAfter(
  db: Queryable,
  after: string,
  limit: number,
): Promise<{ digest: string; registered: number }[]> {
  return db.all(
    `select l.digest,
       case when exists (select 1 from blobs b where b.digest = l.digest) then 1 else 0 end
         as registered
     from (select distinct digest from repository_blobs where digest > $1 order by digest limit $2) l
     order by l.digest`,
    [after, limit],
  );
}

/** Corrects what is registered about verified bytes. */
export async function updateBlobSize(tx: Transaction, digest: string, size: number): Promise<void> {
  await tx.all("update blobs set size = $2 where digest = $1", [digest, size]);
}

/** The repositories that link to a blob, as `account/name`. */
export async function selectLinkedRepositories(
  db: Queryable,
  digest: string,
  limit: number,
): Promise<string[]> {
  const rows = await db.all<{ account: string; name: string }>(
    `select r.account, r.name from repository_blobs l join repositories r on r.id = l.repository_id
     where l.digest = $1 order by l.repository_id limit $2`,
    [digest, limit],
  );
  return rows.map(({ account, name }) => `${account}/${name}`);
}

export interface ManifestPosition {
  readonly repositoryId: number;
  readonly digest: string;
}

/** Manifests behind `after`, without their bytes. */
export function selectManifestsAfter(
  db: Queryable,
  after: ManifestPosition,
  limit: number,
): Promise<{ repository_id: number; digest: string }[]> {
  return db.all(
    `select repository_id, digest from manifests where (repository_id, digest) > ($1, $2)
     order by repository_id, digest limit $3`,
    [after.repositoryId, after.digest, limit],
  );
}

export async function selectManifestBytes(
  db: Queryable,
  { repositoryId, digest }: ManifestPosition,
): Promise<Uint8Array | undefined> {
  const rows = await db.all<{ bytes: Uint8Array }>(
    "select bytes from manifests where repository_id = $1 and digest = $2",
    [repositoryId, digest],
  );
  return rows[0]?.bytes;
}

/** The same, with its row held. */
export async function selectManifestBytesForUpdate(
  tx: Transaction,
  { repositoryId, digest }: ManifestPosition,
): Promise<Uint8Array | undefined> {
  const rows = await tx.all<{ bytes: Uint8Array }>(
    `select bytes from manifests where repository_id = $1 and digest = $2 ${tx.dialect.forUpdate}`,
    [repositoryId, digest],
  );
  return rows[0]?.bytes;
}

/** Takes a damaged manifest out of reach. Its tags and references stay for the next push of it. */
export async function quarantineManifest(
  tx: Transaction,
  { repositoryId, digest }: ManifestPosition,
  now: number,
): Promise<void> {
  await tx.all("delete from quarantined_manifests where repository_id = $1 and digest = $2", [
    repositoryId,
    digest,
  ]);
  await tx.all(
    `insert into quarantined_manifests (repository_id, digest, media_type, bytes, found_at)
     select repository_id, digest, media_type, bytes, cast($3 as bigint) from manifests
     where repository_id = $1 and digest = $2`,
    [repositoryId, digest, now],
  );
  await tx.all("delete from manifests where repository_id = $1 and digest = $2", [
    repositoryId,
    digest,
  ]);
}

export interface ReferencePosition {
  readonly repositoryId: number;
  readonly manifest: string;
  readonly position: number;
}

export interface CheckedReferenceRow {
  repository_id: number;
  manifest: string;
  position: number;
  digest: string;
  role: string;
  missing: number;
}

/** References behind `after`, and whether what they need is missing from the repository. */
export function selectReferencesAfter(
  db: Queryable,
  after: ReferencePosition,
  limit: number,
): Promise<CheckedReferenceRow[]> {
  return db.all<CheckedReferenceRow>(
    `select m.repository_id, m.manifest, m.position, m.digest, m.role,
       case when m.required = 1
         and not exists (
           select 1 from repository_blobs l join blobs b on b.digest = l.digest
           where l.repository_id = m.repository_id and l.digest = m.digest)
         and not exists (
           select 1 from manifests c
           where c.repository_id = m.repository_id and c.digest = m.digest)
       then 1 else 0 end as missing
     from manifest_references m
     where (m.repository_id, m.manifest, m.position) > ($1, $2, $3)
     order by m.repository_id, m.manifest, m.position limit $4`,
    [after.repositoryId, after.manifest, after.position, limit],
  );
}

export interface ImageName {
  /** `account/name` */
  readonly repository: string;
  readonly tags: readonly string[];
}

/** What people call a manifest. */
export async function selectImageName(
  db: Queryable,
  { repositoryId, digest }: ManifestPosition,
  tagsLimit: number,
): Promise<ImageName> {
  const repositories = await db.all<{ account: string; name: string }>(
    "select account, name from repositories where id = $1",
    [repositoryId],
  );
  const tags = await db.all<{ name: string }>(
    "select name from tags where repository_id = $1 and digest = $2 order by name limit $3",
    [repositoryId, digest, tagsLimit],
  );
  const [repository] = repositories;
  return {
    repository: repository === undefined ? "" : `${repository.account}/${repository.name}`,
    tags: tags.map(({ name }) => name),
  };
}
