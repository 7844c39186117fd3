-- What engines did in each closed hour and for whom (books/work-hour.ts): utilisation long after requests are rolled up.
create table work_hour (
  hour integer not null,
  replica text not null,
  tenant text not null,               -- empty: nobody of ours asked for it
  application text not null,
  model text not null,
  cause text not null,                -- why it was for nothing; empty: it was not
  held_ns integer not null,           -- of the engine's time
  step_e9 integer not null,           -- as in engine_second
  prefill integer not null,
  prefill_context integer not null,
  decode integer not null,
  kv_read integer not null,
  kv_token_ms integer not null,       -- tokens in the cache times milliseconds, of requests that ended in the hour
  primary key (hour, replica, tenant, application, model, cause)
) strict;
create table busy_hour (
  hour integer not null,
  replica text not null,
  busy_s integer not null,            -- seconds in which somebody worked
  all_s integer not null,
  primary key (hour, replica)
) strict;
alter table closed_hour add column worked integer not null default 0; -- 0: closed before work was kept
