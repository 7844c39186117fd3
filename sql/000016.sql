-- What is on statements, by the hour in which it was settled (books/statement-sums.ts): a statement over millions of requests reads
-- these, and rows of requests only for the parts of hours at its ends.
create table statement_part (
  tenant text not null,
  hour integer not null,              -- UTC, counted from 1970
  application text not null,
  model text not null,
  price_version integer not null,     -- 0: no price
  cause text not null,                -- of waste; empty: billed
  class text not null,
  requests integer not null,
  tokens integer not null,
  amount integer not null,            -- nano-dollars, each request's rounded as it was billed
  primary key (tenant, hour, application, model, price_version, cause, class)
) strict, without rowid;
create table statement_hour (
  tenant text not null,
  hour integer not null,
  requests integer not null,
  missing integer not null,           -- of these, with a count that is missing
  primary key (tenant, hour)
) strict, without rowid;
create table statement_energy (
  tenant text not null,
  hour integer not null,              -- in which its intervals ended
  application text not null,
  grade text not null,
  amount integer not null,            -- mJ
  primary key (tenant, hour, application, grade)
) strict, without rowid;
-- Hours before this one were booked without these sums. Work of hours to come may have begun, and is on their side.
insert into counter (name, value)
  select 'statement_hours_from', coalesce(max(at_ms) / 3600000 + 1, 0) from transfer;
