/** Queries of the comparison between a region and a destination. */
import type { Queryable } from "../metadata-store.ts";
import { parts, placeholders } from "./blobs.ts";

export interface RepositoryIdRow {
  id: number;
  name: string;
}

/** Repositories of an account behind an id, in the order of the ids. */
export function selectRepositoryIds(
  db: Queryable,
  account: string,
  after: number,
  limit: number,
): Promise<RepositoryIdRow[]> {
  return db.all<RepositoryIdRow>(
    "select id, name from repositories where account = $1 and id > $2 order by id limit $3",
    [account, after, limit],
  );
}

/** Where a scan over several repositories goes on, and how far it goes. */
export interface ScanPosition {
  readonly repositoryId: number;
  /** The last name or digest that was read; empty at the beginning. */
  readonly key: string;
  /** The last repository of the scan. */
  readonly lastRepositoryId: number;
}

export interface TagLeafRow {
  repository_id: number;
  name: string;
  digest: string;
  clock: string;
}

/** Tags that a region has set, by repository and in byte order of their names. */
export function selectTagLeaves(
  db: Queryable,
  origin: string,
  position: ScanPosition,
  limit: number,
): Promise<TagLeafRow[]> {
  return db.all<TagLeafRow>(
    `select repository_id, name, digest, clock from tags
     where (repository_id, name) > ($1, $2) and repository_id <= $3 and origin = $4
     order by repository_id, name limit $5`,
    [position.repositoryId, position.key, position.lastRepositoryId, origin, limit],
  );
}

export interface ManifestLeafRow {
  repository_id: number;
  digest: string;
}

/** Manifests that were pushed in a region, by repository and digest. */
export function selectManifestLeaves(
  db: Queryable,
  origin: string,
  position: ScanPosition,
  limit: number,
): Promise<ManifestLeafRow[]> {
  return db.all<ManifestLeafRow>(
    `select repository_id, digest from manifests
     where (repository_id, digest) > ($1, $2) and repository_id <= $3 and origin = $4
     order by repository_id, digest limit $5`,
    [position.repositoryId, position.key, position.lastRepositoryId, origin, limit],
  );
}

/** Which repositories have changed behind a row of the journal; each once, up to `limit`. */
export function selectChangedRepositories(
  db: Queryable,
  account: string,
  after: number,
  limit: number,
): Promise<{ repository: string }[]> {
  return db.all<{ repository: string }>(
    `select distinct repository from changes
     where sequence > $1 and account = $2 and repository <> '' limit $3`,
    [after, account, limit],
  );
}

export interface TagStateRow {
  name: string;
  kind: "tag" | "tombstone";
  digest: string;
  clock: string;
  origin: string;
}

/** What became of some tags; a name may have a tag, a tombstone, or neither. */
export async function selectTagStates(
  db: Queryable,
  repositoryId: number,
  names: readonly string[],
): Promise<TagStateRow[]> {
  const rows: TagStateRow[] = [];
  for (const part of parts(names)) {
    const list = placeholders(part.length, 2);
    rows.push(
      ...(await db.all<TagStateRow>(
        `select name, 'tag' as kind, digest, clock, origin from tags
         where repository_id = $1 and name in (${list})
         union all
         select name, 'tombstone' as kind, digest, clock, origin from tag_tombstones
         where repository_id = $1 and name in (${list})`,
        [repositoryId, ...part],
      )),
    );
  }
  return rows;
}

export interface PresentManifestRow {
  digest: string;
  origin: string;
  /** 1: pushed by a client of this registry, and not archived. */
  sendable: number;
}

/** Those of some manifests that the repository has. */
export async function selectPresentManifests(
  db: Queryable,
  repositoryId: number,
  digests: readonly string[],
): Promise<PresentManifestRow[]> {
  const rows: PresentManifestRow[] = [];
  for (const part of parts(digests)) {
    rows.push(
      ...(await db.all<PresentManifestRow>(
        `select digest, origin,
           case when replicated = 0 and storage_class = 'STANDARD' then 1 else 0 end as sendable
         from manifests
         where repository_id = $1 and digest in (${placeholders(part.length, 2)})`,
        [repositoryId, ...part],
      )),
    );
  }
  return rows;
}

export interface ReplicationStateRow {
  digest: string;
  /** Empty for a push by digest. */
  tag: string;
  state: "pending" | "complete" | "failed";
  failure_code: string | null;
}

/** How far some images of a repository are on their way to one destination. */
export async function selectReplicationStates(
  db: Queryable,
  repositoryId: number,
  destination: { readonly region: string; readonly registryId: string },
  digests: readonly string[],
): Promise<ReplicationStateRow[]> {
  const rows: ReplicationStateRow[] = [];
  for (const part of parts(digests)) {
    rows.push(
      ...(await db.all<ReplicationStateRow>(
        `select digest, tag, state, failure_code from replications
         where repository_id = $1 and destination_region = $2 and destination_account = $3
           and digest in (${placeholders(part.length, 4)})`,
        [repositoryId, destination.region, destination.registryId, ...part],
      )),
    );
  }
  return rows;
}

export interface RequiredBlobRow {
  digest: string;
  size: number;
  /** One of the manifests that name it. */
  manifest: string;
}

/** Blobs that the manifests of a repository need, behind a digest. */
export function selectRequiredBlobs(
  db: Queryable,
  repositoryId: number,
  after: string,
  limit: number,
): Promise<RequiredBlobRow[]> {
  return db.all<RequiredBlobRow>(
    `select digest, max(size) as size, min(manifest) as manifest from manifest_references
     where repository_id = $1 and digest > $2 and role <> 'manifest' and required = 1
     group by digest order by digest limit $3`,
    [repositoryId, after, limit],
  );
}

/** Accounts that have ever configured replication. */
export async function selectReplicatingAccounts(db: Queryable): Promise<string[]> {
  const rows = await db.all<{ account: string }>(
    "select account from settings where name = 'replication_configuration' order by account",
  );
  return rows.map(({ account }) => account);
}
