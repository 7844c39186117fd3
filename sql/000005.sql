-- What an engine runs on, what it costs and what measures it. Costs and meters keep their past: an interval that is
-- attributed later, and an audit, must find what was in force then.
alter table engine add column product text;       -- vllm | sglang | tensorrt-llm | llama.cpp; null: not known
alter table engine add column chips text;         -- such as h200:8
alter table engine add column metrics_url text;   -- its page of metrics; null: none

create table meter (
  name text primary key,              -- names its sample file and its account
  source text not null,               -- JSON: where and how it is read
  created_ms integer not null
) strict;
create table engine_meter (
  engine text not null,
  meter text not null references meter (name),
  from_ms integer not null,
  until_ms integer,                   -- null: still
  primary key (engine, meter, from_ms)
) strict;
create index engine_meter_meter on engine_meter (meter);
create table engine_cost (
  engine text not null,
  from_ms integer not null,
  until_ms integer,                   -- null: still
  per_hour integer not null,          -- nano-dollars
  primary key (engine, from_ms)
) strict;
