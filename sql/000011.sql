-- Days long past, of which only sums are kept (books/rollup.ts). Statements, balances and the audit add up as before.
create table rolled_transfer (
  day integer not null,               -- UTC, counted from 1970
  unit text not null,
  debit text not null,
  credit text not null,
  grade text not null,                -- of energy; else empty
  amount integer not null,
  transfers integer not null,         -- how many there were
  primary key (day, unit, debit, credit, grade)
) strict, without rowid;
create table rolled_part (
  tenant text not null,
  day integer not null,               -- on which its requests were settled
  application text not null,
  model text not null,
  price_version integer not null,     -- 0: no price
  cause text not null,                -- of waste; empty: billed
  class text not null,
  requests integer not null,
  tokens integer not null,
  amount integer not null,            -- nano-dollars, each request's rounded as it was billed
  primary key (tenant, day, application, model, price_version, cause, class)
) strict, without rowid;
create table rolled_day (
  tenant text not null,
  day integer not null,
  requests integer not null,
  missing integer not null,           -- of these, with a count that is missing
  primary key (tenant, day)
) strict, without rowid;
create table rolled_interval (
  meter text not null,
  day integer not null,               -- on which they ended
  grade text not null,
  intervals integer not null,
  energy_mj integer not null,
  idle_mj integer not null,
  primary key (meter, day, grade)
) strict, without rowid;

-- Whose energy it was, for work in an interval that is kept although the request is rolled up already.
alter table engine_attempt add column bearer text;
alter table window_work add column bearer text;
create index engine_attempt_rolled on engine_attempt (last_ms) where bearer is not null;
