-- Images brought to a destination that were pushed before its rule, and what must not be forwarded.

-- 1: it came by replication, and no client has pushed it here since.
alter table manifests add column replicated bigint not null default 0;

-- 1: of a backfill; it has places of its own, so that it delays no push.
alter table replications add column backlog bigint not null default 0;
-- The backfill that counts its outcome.
alter table replications add column backfill text;
drop index replications_due;
create index replications_due on replications (state, destination_region, backlog, bulk, due_at);
create index replications_of_backfill on replications (backfill) where backfill is not null;

create table backfills (
  id text primary key,
  account text not null,
  destination_region text not null,
  destination_account text not null,
  -- PREPARING, IN_PROGRESS, STOPPING, COMPLETE, FAILED, STOPPED
  status text not null,
  failure_code text,
  -- 1 once all images have been found and `total` is final.
  prepared bigint not null,
  -- Where preparing goes on: behind this image and tag.
  cursor_repository text not null,
  cursor_digest text not null,
  cursor_tag text not null,
  total bigint not null,
  completed bigint not null,
  failed bigint not null,
  -- The distinct codes of what has failed, joined with commas.
  failure_codes text not null,
  started_at bigint not null,
  ended_at bigint
);
create index backfills_of_account on backfills (account, id);
create index backfills_under_way on backfills (status, id);

-- One row per image and tag.
create table backfill_items (
  backfill text not null,
  repository text not null,
  digest text not null,
  -- Empty for an image without tags.
  tag text not null,
  repository_id bigint not null,
  -- The version that the tag has, empty for an image without tags.
  clock text not null,
  origin text not null,
  -- waiting, queued, complete, failed
  state text not null,
  -- What the replication was before it was queued: none, pending, complete, failed
  previous text not null,
  failure_code text,
  primary key (backfill, repository, digest, tag)
);
create index backfill_items_by_state on backfill_items (backfill, state);
