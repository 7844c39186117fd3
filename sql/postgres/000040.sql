-- As on SQLite, where the columns are explained.
create table power_limit (
  name text collate "C" primary key,
  watts bigint not null,
  other_watts bigint not null,
  engines text collate "C",
  devices bigint not null,
  created_ms bigint not null
);
create table power_event (
  id text collate "C" primary key,
  limited text collate "C" not null,
  watts bigint not null,
  from_ms bigint not null,
  until_ms bigint not null,
  note text collate "C" not null
);
create table cap_decision (
  number bigint primary key,
  at_ms bigint not null,
  policy text collate "C" not null,
  inputs_hash text collate "C" not null,
  body text collate "C" not null
);
