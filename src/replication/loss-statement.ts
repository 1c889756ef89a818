/**
 * What a region has acknowledged and not brought to its destinations, as a statement that it signs:
 * when a region is lost and its database is not, this is the exact list, and an empty one proves that
 * nothing was lost that the rules send.
 */
import type { Queryable } from "../metadata/metadata-store.ts";
import { selectUnarrived } from "../metadata/queries/replication-losses.ts";

export interface UnarrivedImage {
  readonly account: string;
  readonly repository: string;
  readonly digest: string;
  /** Absent for a push by digest. */
  readonly tag?: string;
  readonly destination: string;
  readonly state: "pending" | "failed";
  /** Milliseconds since the Unix epoch. */
  readonly pushedAt: number;
  readonly failureCode?: string;
}

export interface LossStatement {
  readonly kind: "portolan-loss-statement";
  readonly version: 1;
  readonly region: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Only of this one; absent: of all. */
  readonly destination?: string;
  readonly images: readonly UnarrivedImage[];
}

export interface SignedStatement {
  /** A LossStatement as JSON: the bytes that are signed, in UTF-8. */
  readonly statement: string;
  /** Ed25519, base64url. */
  readonly signature: string;
}

const pageRows = 1000;

export async function lossStatement(
  db: Queryable,
  options: {
    readonly region: string;
    readonly at: number;
    readonly destination?: string;
    readonly isSelected: (destination: { region: string; registryId: string }) => boolean;
  },
): Promise<LossStatement> {
  const images: UnarrivedImage[] = [];
  let after = "";
  for (;;) {
    const rows = await selectUnarrived(db, after, pageRows);
    for (const row of rows) {
      const { destination_region: region, destination_account: registryId } = row;
      if (!options.isSelected({ region, registryId })) continue;
      images.push({
        account: row.account,
        repository: row.repository,
        digest: row.digest,
        ...(row.tag !== "" && { tag: row.tag }),
        destination: `${region}/${registryId}`,
        state: row.state,
        pushedAt: row.created_at,
        ...(row.failure_code !== null && { failureCode: row.failure_code }),
      });
    }
    const end = rows.at(-1);
    if (end === undefined || rows.length < pageRows) break;
    after = end.id;
  }
  const { region, at, destination } = options;
  images.sort((a, b) => a.pushedAt - b.pushedAt);
  return {
    ...{ kind: "portolan-loss-statement", version: 1, region, at },
    ...(destination !== undefined && { destination }),
    images,
  };
}
