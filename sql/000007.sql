-- What an attempt's work in a second costs: see plant/energy/step-energy.ts. Zeros where an older log did not say.
alter table engine_second add column step_e9 integer not null default 0;
alter table engine_second add column prefill integer not null default 0;
alter table engine_second add column prefill_context integer not null default 0;
alter table engine_second add column decode integer not null default 0;
alter table engine_second add column kv_read integer not null default 0;

-- How an interval was attributed: the newest fit that was used (null: by tokens, or nobody worked), and what the model said
-- before it was scaled to the meter. `claims`: what its idle capacity was kept for, JSON; null: for whoever came.
alter table meter_interval add column fit integer;
alter table meter_interval add column modelled_mj integer;
alter table meter_interval add column claims text;
create index meter_interval_modelled on meter_interval (meter, sequence) where modelled_mj is not null;

-- Coefficients of the energy of a step. Never changed; `body` is the whole fit as JSON.
create table step_fit (
  version integer primary key,
  meter text not null,
  replica text not null,
  model text not null,
  fitted_ms integer not null,
  body text not null
) strict;
-- What closed intervals taught, the newest of each key: fits are learned from it.
create table step_observation (
  meter text not null,
  replica text not null,
  model text not null,
  sequence integer not null,
  energy_mj integer not null,
  step_e9 integer not null,
  prefill integer not null,
  prefill_context integer not null,
  decode integer not null,
  kv_read integer not null,
  primary key (meter, replica, model, sequence)
) strict, without rowid;
