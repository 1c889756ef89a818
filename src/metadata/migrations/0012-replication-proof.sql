-- What an operator has said about a destination, and what is known about reaching it. No row: it is
-- not paused, and nothing is known against it.
create table replication_destinations (
  region text primary key,
  paused_at bigint,
  paused_by text,
  unreachable_since bigint,
  unreachable_code text,
  unreachable_text text
);
-- What has moved in the last minutes, by node: rates are sums over these rows.
create table replication_samples (
  destination_region text not null,
  at bigint not null,
  id text not null,
  images bigint not null,
  bytes bigint not null,
  primary key (destination_region, at, id)
);
-- The newest comparison with each destination.
create table replication_verifications (
  account text not null,
  destination_region text not null,
  destination_account text not null,
  finished_at bigint not null,
  -- JSON: the report, or why there is none.
  outcome text not null,
  primary key (account, destination_region, destination_account)
);
