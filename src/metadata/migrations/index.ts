/** The migrations in order. Forward only: a released one is never changed. */
import registry from "./0001-registry.sql" with { type: "text" };
import replication from "./0002-replication.sql" with { type: "text" };
import access from "./0003-access.sql" with { type: "text" };
import documents from "./0004-documents.sql" with { type: "text" };
import scrub from "./0005-scrub.sql" with { type: "text" };
import audit from "./0006-audit.sql" with { type: "text" };
import images from "./0007-images.sql" with { type: "text" };
import backfills from "./0008-backfills.sql" with { type: "text" };
import fleet from "./0010-fleet.sql" with { type: "text" };
import replicationProof from "./0012-replication-proof.sql" with { type: "text" };
import replicationTimeline from "./0012-replication-timeline.sql" with { type: "text" };
import console from "./0014-console.sql" with { type: "text" };
import tagsByDigest from "./0014-tags-by-digest.sql" with { type: "text" };

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export const migrations: readonly Migration[] = [
  { name: "0001-registry", sql: registry },
  { name: "0002-replication", sql: replication },
  { name: "0003-access", sql: access },
  { name: "0004-documents", sql: documents },
  { name: "0005-scrub", sql: scrub },
  { name: "0006-audit", sql: audit },
  { name: "0007-images", sql: images },
  { name: "0008-backfills", sql: backfills },
  { name: "0010-fleet", sql: fleet },
  { name: "0012-replication-proof", sql: replicationProof },
  { name: "0012-replication-timeline", sql: replicationTimeline },
  { name: "0014-console", sql: console },
  { name: "0014-tags-by-digest", sql: tagsByDigest },
];

/** The single statements of a migration. No statement of ours has a semicolon inside. */
export function statementsOf(migration: Migration): string[] {
  return migration.sql
    .replace(/--.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}
