create table work_hour (
  hour bigint not null,
  replica text collate "C" not null,
  tenant text collate "C" not null,
  application text collate "C" not null,
  model text collate "C" not null,
  cause text collate "C" not null,
  held_ns bigint not null,
  step_e9 bigint not null,
  prefill bigint not null,
  prefill_context bigint not null,
  decode bigint not null,
  kv_read bigint not null,
  kv_token_ms bigint not null,
  primary key (hour, replica, tenant, application, model, cause)
);

create table busy_hour (
  hour bigint not null,
  replica text collate "C" not null,
  busy_s bigint not null,
  all_s bigint not null,
  primary key (hour, replica)
);

alter table closed_hour add column worked bigint not null default 0;
