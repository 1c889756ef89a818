-- When the first attempt since the newest push began.
alter table replications add column first_attempt_at bigint;
