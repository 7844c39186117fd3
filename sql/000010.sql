-- Looks at the counters of engines elsewhere: what they grew by, and what of it no request of ours explains
-- (books/foreign.ts). Null: not compared yet.
create table engine_counted (
  engine text not null,
  to_ms integer not null,
  from_ms integer not null,
  prompt integer not null,
  output integer not null,
  cached integer not null,            -- 1: prompt counts what came from the prefix cache
  foreign_prompt integer,
  foreign_output integer,
  balance_prompt integer,             -- carried to the next look
  balance_output integer,
  primary key (engine, to_ms)
) strict, without rowid;
create index engine_counted_open on engine_counted (to_ms) where foreign_prompt is null;
