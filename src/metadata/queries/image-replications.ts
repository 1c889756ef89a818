/** The replications of one image, as it is asked for at the source. */
import type { Queryable, SqlValue } from "../metadata-store.ts";

export interface ImageReplicationRow {
  /** Empty for a push by digest. */
  tag: string;
  destination_region: string;
  destination_account: string;
  state: "pending" | "complete" | "failed";
  created_at: number;
  completed_at: number | null;
  first_attempt_at: number | null;
  attempts: number;
  bytes_sent: number;
  bytes_remaining: number;
  failure_code: string | null;
  failure_side: string | null;
  failure_text: string | null;
  failed_at: number | null;
}

/** With a tag: of the image as it was pushed under that tag; without: under any tag or none. */
export function selectImageReplications(
  db: Queryable,
  image: { account: string; repository: string; digest: string; tag: string | undefined },
): Promise<ImageReplicationRow[]> {
  const parameters: SqlValue[] = [image.account, image.repository, image.digest];
  if (image.tag !== undefined) parameters.push(image.tag);
  return db.all<ImageReplicationRow>(
    `select tag, destination_region, destination_account, state, created_at, completed_at, first_attempt_at, attempts,
       bytes_sent, bytes_remaining, failure_code, failure_side, failure_text, failed_at
     from replications
     where repository_id = (select id from repositories where account = $1 and name = $2)
       and digest = $3 ${image.tag === undefined ? "" : "and tag = $4"}
     order by destination_region, destination_account, tag`,
    parameters,
  );
}
