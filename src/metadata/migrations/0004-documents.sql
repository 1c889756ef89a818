-- Settings and identities as versioned documents: JSON under (account, kind, name). The version is
-- that of a tag: a hybrid logical clock and the region that wrote it, so that the same rule decides
-- between regions. A deleted document keeps its version and has no value.
create table documents (
  account text not null,
  kind text not null,
  name text not null,
  -- What it belongs to, for listing: the user of an access key, the repository of a policy.
  owner text not null,
  value text,
  clock text not null,
  origin text not null,
  updated_at bigint not null,
  primary key (account, kind, name)
);
create index documents_by_owner on documents (account, kind, owner, name);
