-- What capacity, people, energy and hosted models cost, from a moment on. Never changed: a correction is a later version.
create table cost_declaration (
  version integer primary key,
  kind text not null,                 -- capacity | list | staff | licence | floor | support | tariff | pue | carbon
  name text not null,
  from_ms integer not null,
  declared_ms integer not null,
  terms text not null,                -- JSON, amounts as decimal text
  note text not null
) strict;
create index cost_declaration_name on cost_declaration (kind, name);

-- Hours whose cost is posted, and what was known when it was last worked out (books/cost-hour.ts).
create table closed_hour (
  hour integer primary key,           -- hours since 1970, UTC
  revision integer not null,
  declared integer not null,          -- the newest declaration then
  fit integer not null,               -- the newest fit then
  closed_ms integer not null,
  stale integer not null default 0,   -- 1: something of it was learned later; it is worked out again
  frozen integer not null default 0   -- 1: its details are being rolled up; it stays as it is
) strict;
create index closed_hour_stale on closed_hour (hour) where stale = 1;
-- What each source cost in it: its transfers add up to it.
create table cost_hour (
  hour integer not null,
  source text not null,               -- the account that the cost comes from
  unit text not null,
  amount integer not null,
  busy_s integer not null,            -- seconds of capacity in which somebody worked
  all_s integer not null,             -- seconds of capacity; 0: no capacity
  rolled integer not null default 0,  -- 1: of its transfers only sums by day are kept
  primary key (hour, source, unit)
) strict;
