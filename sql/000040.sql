-- Limits of power (control/cap): what must not be exceeded, and when it is lower.
create table power_limit (
  name text primary key,
  watts integer not null,
  other_watts integer not null,       -- the most that is drawn under it by what nobody here can turn down
  engines text,                       -- JSON list; null: all
  devices integer not null,           -- 1: boards of this machine may be held by their own power limits
  created_ms integer not null
) strict;
create table power_event (
  id text primary key,
  limited text not null,              -- name of the limit
  watts integer not null,
  from_ms integer not null,
  until_ms integer not null,
  note text not null
) strict;
-- Each decision that changed something, with what it was made from; the newest is in force.
create table cap_decision (
  number integer primary key,
  at_ms integer not null,
  policy text not null,               -- version of the policy
  inputs_hash text not null,
  body text not null
) strict;
