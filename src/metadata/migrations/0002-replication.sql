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
  clock text not null,
  origin text not null,
  created_at bigint not null,
  due_at bigint not null,
  attempts bigint not null,
  -- The fencing token: grows with every claim, and an outcome is taken only with the newest.
  lease bigint not null,
  lease_until bigint not null,
  completed_at bigint,
  bytes_sent bigint not null,
  failure_code text,
  failure_side text,
  failure_text text,
  failed_at bigint,
  unique (repository_id, digest, tag, destination_region, destination_account)
);
create index replications_due on replications (state, destination_region, due_at);
create index replications_by_digest on replications (repository_id, digest);
