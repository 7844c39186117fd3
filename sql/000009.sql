-- CPU time of the engine's process, where it is in its log: with a meter that estimates from CPU time it says what a step drew.
alter table engine_second add column cpu_us integer not null default 0;
alter table meter_interval add column cpu_mj_per_s integer;  -- of a core's second; null: no meter of CPU time

-- Everything that a gateway journaled before this moment has been read.
alter table journal add column read_to_ms integer not null default 0;

-- What engines that do not report their steps did in an interval of their meter, as rebuilt from how their answers came.
create table window_work (
  meter text not null,
  sequence integer not null,
  attempt text not null,
  request text not null,
  replica text not null,
  model text not null,
  tokens integer not null,
  step_e9 integer not null,
  prefill integer not null,
  prefill_context integer not null,
  decode integer not null,
  kv_read integer not null,
  primary key (meter, sequence, attempt)
) strict, without rowid;
create index window_work_request on window_work (request);
