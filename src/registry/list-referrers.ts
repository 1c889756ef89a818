/**
 * Manifests that name another as their subject: signatures, SBOMs, attestations.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
import type { Digest } from "../image/digest.ts";
import type { StorageClass } from "../metadata/queries/images.ts";
import { type ReferrerRow, selectReferrers } from "../metadata/queries/manifests.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";

export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface StoredReferrer extends ReferrerDescriptor {
  readonly archived: boolean;
}

export interface ReferrersPage {
  readonly referrers: readonly StoredReferrer[];
  /** Where the next page begins; absent on the last one. */
  readonly next: string | undefined;
}

/** One page holds at most this many, and at most `pageBytesLimit`. */
const pageLimit = 1000;
/** Read at a time: each can have annotations as large as a manifest may be. */
const batchLimit = 20;
/** An index must be readable by clients that accept no more than 4 MiB. */
const pageBytesLimit = 3 * 1024 * 1024;

/** An unknown repository or subject has no referrers: that is an empty page, not an error. */
export async function listReferrers(
  context: RegistryContext,
  { account, repository }: RepositoryAddress,
  subject: Digest,
  page: {
    /** Any of them; absent: all. */
    readonly artifactTypes?: readonly string[] | undefined;
    /** Absent: any. */
    readonly storageClass?: StorageClass;
    readonly after: string;
    readonly limit?: number;
  },
): Promise<ReferrersPage> {
  const { artifactTypes, storageClass, limit = pageLimit } = page;
  const referrers: StoredReferrer[] = [];
  let bytes = 0;
  for (let rows: ReferrerRow[], last = page.after; ; last = rows.at(-1)?.digest ?? last) {
    rows = await selectReferrers(context.metadata.read, account, repository, subject, {
      artifactTypes,
      storageClass,
      after: last,
      limit: batchLimit,
    });
    for (const row of rows) {
      bytes += 300 + Buffer.byteLength(row.annotations ?? "") + Buffer.byteLength(row.media_type);
      if (referrers.length === limit || (bytes > pageBytesLimit && referrers.length > 0)) {
        return { referrers, next: referrers.at(-1)?.digest };
      }
      referrers.push({ ...descriptorOf(row), archived: row.storage_class === "ARCHIVE" });
    }
    if (rows.length < batchLimit) return { referrers, next: undefined };
  }
}

function descriptorOf(row: ReferrerRow): ReferrerDescriptor {
  return {
    mediaType: row.media_type,
    digest: row.digest,
    size: row.size,
    ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
    ...(row.annotations !== null && { annotations: JSON.parse(row.annotations) }),
  };
}
