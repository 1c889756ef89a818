-- With the name: the tags of an image are read page by page in their order.
drop index tags_by_digest;
create index tags_by_digest on tags (repository_id, digest, name);
