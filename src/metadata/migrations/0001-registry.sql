-- The registry and its journal. One text for SQLite and PostgreSQL: the PostgreSQL driver adds
-- byte-order collation to `text`; SQLite takes the type names as they are.

create table counters (
  name text primary key,
  value bigint not null
);

create table repositories (
  id bigint primary key,
  account text not null,
  name text not null,
  created_at bigint not null,
  unique (account, name)
);

-- A blob of this region. Without a row in repository_blobs it is a hint: whoever links it must
-- look whether the bytes are still there.
create table blobs (
  digest text primary key,
  size bigint not null,
  touched_at bigint not null
);

create table repository_blobs (
  repository_id bigint not null,
  digest text not null,
  touched_at bigint not null,
  primary key (repository_id, digest)
);
create index repository_blobs_by_digest on repository_blobs (digest);

create table uploads (
  id text primary key,
  repository_id bigint not null,
  digest_algorithm text not null,
  created_at bigint not null,
  touched_at bigint not null
);
create index uploads_by_repository on uploads (repository_id);
create index uploads_by_touched_at on uploads (touched_at);

create table manifests (
  repository_id bigint not null,
  digest text not null,
  media_type text not null,
  bytes bytea not null,
  artifact_type text,
  subject text,
  annotations text,
  pushed_at bigint not null,
  -- The region in which the client's push was taken.
  origin text not null,
  primary key (repository_id, digest)
);
create index manifests_by_subject on manifests (repository_id, subject, digest);

create table manifest_references (
  repository_id bigint not null,
  manifest text not null,
  position bigint not null,
  role text not null,
  digest text not null,
  media_type text not null,
  size bigint not null,
  required bigint not null,
  primary key (repository_id, manifest, position)
);
create index manifest_references_by_digest on manifest_references (repository_id, digest);

-- (clock, origin) is the tag's version: a hybrid logical clock and the region that set it.
create table tags (
  repository_id bigint not null,
  name text not null,
  digest text not null,
  clock text not null,
  origin text not null,
  updated_at bigint not null,
  primary key (repository_id, name)
);
create index tags_by_digest on tags (repository_id, digest);

create table tag_tombstones (
  repository_id bigint not null,
  name text not null,
  digest text not null,
  clock text not null,
  origin text not null,
  deleted_at bigint not null,
  primary key (repository_id, name)
);

-- The journal: every change of state of this region, in commit order.
create table changes (
  sequence bigint primary key,
  at bigint not null,
  kind text not null,
  account text not null,
  repository text not null,
  digest text,
  tag text,
  clock text,
  origin text not null,
  actor text not null,
  detail text
);

create table settings (
  account text not null,
  name text not null,
  value text not null,
  updated_at bigint not null,
  primary key (account, name)
);
