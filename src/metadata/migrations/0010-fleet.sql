-- Identities and the chart hold in the whole installation: their documents travel between regions.
-- A document of scope `installation` has the journal's number of its newest change, by which it is
-- sent on; documents of a region have none.
alter table documents add column sequence bigint;
create index documents_by_sequence on documents (sequence);
create index documents_by_name on documents (kind, name);
update documents set sequence = (
  select count(*) from documents d
  where d.kind like 'iam-%' and (d.account, d.kind, d.name) <= (documents.account, documents.kind, documents.name)
) where kind like 'iam-%';

-- How far this region has the documents of another one.
create table document_cursors (
  region text primary key,
  -- The database of that region: with another one its numbers begin anew.
  database_id text not null,
  -- The kinds that this region understood then: with more of them it must be told again.
  kinds text not null,
  sequence bigint not null,
  updated_at bigint not null
);

-- Root keys are documents now, as the keys of users.
drop table access_keys;
