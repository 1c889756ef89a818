-- Keys that principals authenticate with.

create table access_keys (
  id text primary key,
  account text not null,
  -- ARN of the principal that the key acts as.
  principal text not null,
  -- Encrypted under the installation's key.
  secret bytea not null,
  -- configuration, generated: where the key came from
  source text not null,
  -- active, inactive
  status text not null,
  created_at bigint not null
);
create index access_keys_by_principal on access_keys (principal, created_at);
