-- Manifests whose bytes the scrubber found damaged, for a person to look at. Their references stay
-- in manifest_references, so that nothing they need is collected until somebody pushes them again.
create table quarantined_manifests (
  repository_id bigint not null,
  digest text not null,
  media_type text not null,
  bytes bytea not null,
  found_at bigint not null,
  primary key (repository_id, digest)
);
