/**
 * Manifests that name another as their subject: signatures, SBOMs, attestations.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
import type { Digest } from "../image/digest.ts";
import { selectReferrers } from "../metadata/queries/manifests.ts";
import type { RegistryContext, RepositoryAddress } from "./context.ts";

export interface ReferrerDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface ReferrersPage {
  readonly referrers: readonly ReferrerDescriptor[];
  /** Where the next page begins; absent on the last one. */
  readonly next: string | undefined;
}

/** One page holds at most this many, and at most `pageBytesLimit`. */
const pageLimit = 1000;
/** An index must be readable by clients that accept no more than 4 MiB. */
const pageBytesLimit = 3 * 1024 * 1024;

/** An unknown repository or subject has no referrers: that is an empty page, not an error. */
export async function listReferrers(
  context: RegistryContext,
  { account, repository }: RepositoryAddress,
  subject: Digest,
  { artifactType, after }: { artifactType: string | undefined; after: string },
): Promise<ReferrersPage> {
  const rows = await selectReferrers(context.metadata.read, account, repository, subject, {
    artifactType,
    after,
    limit: pageLimit + 1,
  });
  const referrers: ReferrerDescriptor[] = [];
  let bytes = 0;
  for (const row of rows) {
    bytes += 300 + (row.annotations?.length ?? 0) + (row.artifact_type?.length ?? 0);
    if (referrers.length === pageLimit || (bytes > pageBytesLimit && referrers.length > 0)) {
      return { referrers, next: referrers.at(-1)?.digest };
    }
    referrers.push({
      mediaType: row.media_type,
      digest: row.digest,
      size: row.size,
      ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
      ...(row.annotations !== null && { annotations: JSON.parse(row.annotations) }),
    });
  }
  return { referrers, next: undefined };
}
