-- What happens to an image after its push: its last recorded pull, and archive and restore.
alter table manifests add column pulled_at bigint;
alter table manifests add column storage_class text not null default 'STANDARD';
alter table manifests add column archived_at bigint;
alter table manifests add column activated_at bigint;
