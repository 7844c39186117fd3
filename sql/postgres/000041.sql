-- As on SQLite, where the columns are explained.
create table exchange_version (
  version bigint primary key,
  declared_ms bigint not null,
  note text collate "C" not null
);

create table exchange_rate (
  version bigint not null,
  currency text collate "C" not null,
  day bigint not null,
  rate bigint not null,
  primary key (version, currency, day)
);
create index exchange_rate_day on exchange_rate (currency, day);

create table tenant_currency (
  version bigint primary key,
  tenant text collate "C" not null,
  currency text collate "C" not null,
  from_day bigint not null
);
create index tenant_currency_tenant on tenant_currency (tenant);
