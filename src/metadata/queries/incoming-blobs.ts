/** Queries on blobs that arrive by replication: upload sessions that belong to no repository. */
import type { Queryable, Transaction } from "../metadata-store.ts";
import { placeholders } from "./blobs.ts";

/** The session of an incoming blob, so that abandoned ones expire like a client's upload. */
export async function upsertIncomingBlob(
  tx: Transaction,
  incoming: { id: string; digestAlgorithm: string; now: number },
): Promise<void> {
  // Repository 0 does not exist: no client can reach this session.
  await tx.all(
    `insert into uploads (id, repository_id, digest_algorithm, created_at, touched_at)
     values ($1, 0, $2, $3, $3)
     on conflict (id) do update set touched_at = excluded.touched_at`,
    [incoming.id, incoming.digestAlgorithm, incoming.now],
  );
}

/** Those among `ids` that are open sessions. */
export async function selectIncomingBlobs(
  db: Queryable,
  ids: readonly string[],
): Promise<Set<string>> {
  const found = new Set<string>();
  for (let start = 0; start < ids.length; start += 500) {
    const part = ids.slice(start, start + 500);
    const rows = await db.all<{ id: string }>(
      `select id from uploads where id in (${placeholders(part.length, 1)})`,
      part,
    );
    for (const row of rows) found.add(row.id);
  }
  return found;
}
