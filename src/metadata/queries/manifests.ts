/** Queries on manifests, what they refer to, and referrers. */
import type { ManifestReference, ReferenceRole } from "../../image/manifest.ts";
import type { Queryable, SqlValue, Transaction } from "../metadata-store.ts";
import { parts, placeholders } from "./blobs.ts";
import type { StorageClass } from "./images.ts";
import { repositoryId } from "./repositories.ts";

export interface ManifestRow {
  digest: string;
  media_type: string;
  bytes: Uint8Array<ArrayBuffer>;
  repository_id: number;
  pulled_at: number | null;
  storage_class: StorageClass;
}

const columns = "digest, media_type, bytes, repository_id, pulled_at, storage_class";

export async function selectManifestByDigest(
  db: Queryable,
  account: string,
  repository: string,
  digest: string,
): Promise<ManifestRow | undefined> {
  const rows = await db.all<ManifestRow>(
    `select ${columns} from manifests
     where repository_id = (${repositoryId}) and digest = $3`,
    [account, repository, digest],
  );
  return rows[0];
}

export async function selectManifestByTag(
  db: Queryable,
  account: string,
  repository: string,
  tag: string,
): Promise<ManifestRow | undefined> {
  const rows = await db.all<ManifestRow>(
    `select ${columns} from manifests
     where repository_id = (${repositoryId})
       and digest = (select digest from tags
                     where repository_id = (${repositoryId}) and name = $3)`,
    [account, repository, tag],
  );
  return rows[0];
}

export interface NewManifest {
  readonly repositoryId: number;
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly artifactType: string | undefined;
  readonly subject: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  readonly references: readonly ManifestReference[];
  readonly pushedAt: number;
  readonly origin: string;
  /** It comes by replication and is not forwarded. */
  readonly replicated?: boolean;
}

/** True when it was not there before. */
export async function insertManifest(tx: Transaction, manifest: NewManifest): Promise<boolean> {
  const rows = await tx.all(
    `insert into manifests (repository_id, digest, media_type, bytes, artifact_type, subject,
       annotations, pushed_at, origin, replicated)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict do nothing
     returning digest`,
    [
      manifest.repositoryId,
      manifest.digest,
      manifest.mediaType,
      manifest.bytes,
      manifest.artifactType ?? null,
      manifest.subject ?? null,
      manifest.annotations === undefined ? null : JSON.stringify(manifest.annotations),
      manifest.pushedAt,
      manifest.origin,
      manifest.replicated ? 1 : 0,
    ],
  );
  if (rows.length === 0) return false;
  await insertReferences(tx, manifest);
  return true;
}

/** A client has pushed what came by replication: from now on it is the region's own. */
export async function updateReplicated(
  tx: Transaction,
  repositoryId: number,
  digest: string,
): Promise<void> {
  await tx.all(
    "update manifests set replicated = 0 where repository_id = $1 and digest = $2 and replicated = 1",
    [repositoryId, digest],
  );
}

/**
 * Many rows in one statement: a manifest can have thousands of descriptors. They are there already
 * when the manifest was in quarantine, and the same, because the digest is.
 */
async function insertReferences(tx: Transaction, manifest: NewManifest): Promise<void> {
  const columns = 8;
  const batch = 100;
  for (let start = 0; start < manifest.references.length; start += batch) {
    const references = manifest.references.slice(start, start + batch);
    const values: SqlValue[] = [];
    const rows = references.map((reference, i) => {
      values.push(
        manifest.repositoryId,
        manifest.digest,
        start + i,
        reference.role,
        reference.digest,
        reference.mediaType,
        reference.size,
        reference.required ? 1 : 0,
      );
      return `(${placeholders(columns, i * columns + 1)})`;
    });
    await tx.all(
      `insert into manifest_references
         (repository_id, manifest, position, role, digest, media_type, size, required)
       values ${rows.join(", ")}
       on conflict do nothing`,
      values,
    );
  }
}

export interface ReferenceRow {
  role: ReferenceRole;
  digest: string;
  media_type: string;
  size: number;
  required: number;
}

export function selectReferences(
  db: Queryable,
  repositoryId: number,
  manifest: string,
): Promise<ReferenceRow[]> {
  return db.all<ReferenceRow>(
    `select role, digest, media_type, size, required from manifest_references
     where repository_id = $1 and manifest = $2 order by position`,
    [repositoryId, manifest],
  );
}

/** A manifest of the repository that refers to the digest, if any. */
export async function selectReferringManifest(
  db: Queryable,
  repositoryId: number,
  digest: string,
): Promise<string | undefined> {
  const rows = await db.all<{ manifest: string }>(
    "select manifest from manifest_references where repository_id = $1 and digest = $2 limit 1",
    [repositoryId, digest],
  );
  return rows[0]?.manifest;
}

/** Those among `digests` that are manifests of the repository; holds their rows. */
export async function selectManifestDigests(
  tx: Transaction,
  repositoryId: number,
  digests: readonly string[],
): Promise<Set<string>> {
  const found = new Set<string>();
  for (const part of parts(digests)) {
    const rows = await tx.all<{ digest: string }>(
      `select digest from manifests
       where repository_id = $1 and digest in (${placeholders(part.length, 2)})
       order by digest ${tx.dialect.forUpdate}`,
      [repositoryId, ...part],
    );
    for (const row of rows) found.add(row.digest);
  }
  return found;
}

/**
 * Deletes a manifest with its references, also from quarantine; true when there was one. Its tags
 * are the caller's.
 */
export async function deleteManifestRows(
  tx: Transaction,
  repositoryId: number,
  digest: string,
): Promise<boolean> {
  const rows = await tx.all(
    "delete from manifests where repository_id = $1 and digest = $2 returning digest",
    [repositoryId, digest],
  );
  const quarantined = await tx.all(
    "delete from quarantined_manifests where repository_id = $1 and digest = $2 returning digest",
    [repositoryId, digest],
  );
  await tx.all("delete from manifest_references where repository_id = $1 and manifest = $2", [
    repositoryId,
    digest,
  ]);
  return rows.length + quarantined.length > 0;
}

export interface ReferrerRow {
  digest: string;
  media_type: string;
  size: number;
  artifact_type: string | null;
  annotations: string | null;
  storage_class: StorageClass;
}

/** Manifests whose subject is `subject`, behind `after`, in the order of their digests. */
export function selectReferrers(
  db: Queryable,
  account: string,
  repository: string,
  subject: string,
  options: {
    readonly artifactTypes?: readonly string[] | undefined;
    readonly storageClass?: StorageClass | undefined;
    readonly after: string;
    readonly limit: number;
  },
): Promise<ReferrerRow[]> {
  const parameters: SqlValue[] = [account, repository, subject, options.after, options.limit];
  const types = options.artifactTypes;
  let condition = "";
  if (types !== undefined) {
    condition += ` and artifact_type in (${placeholders(types.length, 6)})`;
    parameters.push(...types);
  }
  if (options.storageClass !== undefined) {
    condition += ` and storage_class = $${parameters.push(options.storageClass)}`;
  }
  return db.all<ReferrerRow>(
    `select digest, media_type, length(bytes) as size, artifact_type, annotations, storage_class
     from manifests
     where repository_id = (${repositoryId}) and subject = $3 and digest > $4${condition}
     order by digest limit $5`,
    parameters,
  );
}
