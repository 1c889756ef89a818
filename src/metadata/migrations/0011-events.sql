-- Up to which change of the journal events were made.
create table event_position (
  name text primary key,
  sequence bigint not null
);
-- A target of a rule with what is known of it. Its deliveries go one after another.
create table event_lanes (
  account text not null,
  rule text not null,
  target text not null,
  waiting bigint not null,
  due_at bigint not null,
  -- Of the oldest delivery.
  attempts bigint not null,
  failing_since bigint,
  failure_code text,
  failure_text text,
  delivered_at bigint,
  -- Whose turn it is; an attempt under another token changes nothing.
  lease text not null,
  lease_until bigint not null,
  primary key (account, rule, target)
);
create index event_lanes_due on event_lanes (due_at) where waiting > 0;
-- An event that waits to be delivered to a target, in the order of the journal.
create table event_deliveries (
  account text not null,
  rule text not null,
  target text not null,
  sequence bigint not null,
  part bigint not null,
  created_at bigint not null,
  event text not null,
  primary key (account, rule, target, sequence, part)
);
-- An event that could not be delivered.
create table event_dead_letters (
  id text primary key,
  account text not null,
  rule text not null,
  target text not null,
  sequence bigint not null,
  part bigint not null,
  created_at bigint not null,
  failed_at bigint not null,
  attempts bigint not null,
  code text not null,
  reason text not null,
  event text not null
);
create index event_dead_letters_by_age on event_dead_letters (failed_at, id);
create index event_dead_letters_by_target on event_dead_letters (account, rule, target, failed_at, id);
-- The state of each alarm that was ever looked at.
create table alarm_states (
  name text primary key,
  account text not null,
  state text not null,
  since bigint not null,
  reason text not null
);
