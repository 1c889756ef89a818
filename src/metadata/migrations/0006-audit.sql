-- The audit: who was allowed or denied what. A row holds the calls of a moment, many at a time when
-- many only read: a row for each would cost more than answering them. See
-- docs/internals/decisions/0005-audit-in-blocks.md.
create table audit_blocks (
  -- Time of the latest and of the earliest call in it.
  last_at bigint not null,
  id text not null,
  first_at bigint not null,
  calls bigint not null,
  denied bigint not null,
  -- The ARNs of the principals in it, each between line breaks.
  principals text not null,
  -- json, zstd
  encoding text not null,
  -- JSON lines.
  lines bytea not null,
  primary key (last_at, id)
);
create index audit_blocks_with_denials on audit_blocks (last_at, id) where denied > 0;
