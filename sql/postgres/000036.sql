-- As on SQLite, where the columns are explained.
create table agreement (
  version bigint primary key,
  tenant text collate "C",
  kind text collate "C" not null,
  model text collate "C",
  class text collate "C",
  counts text collate "C" not null,
  amount bigint not null,
  tiers text collate "C" not null,
  ended bigint not null default 0,
  from_hour bigint not null,
  declared_ms bigint not null,
  note text collate "C" not null
);
create index agreement_tenant on agreement (tenant);
delete from terms_month;

create table terms_sum (
  span_h bigint not null,
  slot bigint not null,
  tenant text collate "C" not null,
  model text collate "C" not null,
  kind text collate "C" not null,
  amount bigint not null,
  primary key (span_h, slot, tenant, model, kind)
);
