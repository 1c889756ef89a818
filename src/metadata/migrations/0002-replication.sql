-- One row per image (digest and tag) and destination: the outbox of the push that made it.
create table replications (
  id text primary key,
  repository_id bigint not null,
  account text not null,
  repository text not null,
  digest text not null,
  -- Empty for a push by digest.
  tag text not null,
  destination_region text not null,
  destination_account text not null,
  -- pending, complete, failed
  state text not null,
  -- 1 once an offer has shown that many bytes are missing: such rows wait in a queue of their own.
  bulk bigint not null,
  -- The tag's version, empty for a push by digest; and the region that made it.
  clock text not null,
  origin text not null,
  created_at bigint not null,
  -- When the next attempt may begin; while one runs, when its lease ends.
  due_at bigint not null,
  attempts bigint not null,
  -- The fencing token: grows with every claim, and an outcome is taken only with the newest.
  lease bigint not null,
  lease_until bigint not null,
  completed_at bigint,
  bytes_sent bigint not null,
  -- At most this much is still to be sent: the closure's size, then what the destination lacks.
  bytes_remaining bigint not null,
  -- The newest failure; it stays as a note on a row that is tried again.
  failure_code text,
  failure_side text,
  failure_text text,
  failed_at bigint,
  unique (repository_id, digest, tag, destination_region, destination_account)
);
create index replications_due on replications (state, destination_region, bulk, due_at);
create index replications_by_digest on replications (repository_id, digest);
