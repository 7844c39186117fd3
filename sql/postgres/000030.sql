-- As on SQLite, where the columns are explained.
create table credit (
  id text collate "C" primary key,
  tenant text collate "C" not null,
  kind text collate "C" not null,
  amount bigint not null,
  granted_ms bigint not null,
  from_hour bigint not null,
  until_hour bigint,
  returned bigint not null default 0,
  note text collate "C" not null
);
create index credit_tenant on credit (tenant);

create table credit_only (
  tenant text collate "C" primary key,
  base bigint not null,
  allowed bigint not null,
  hour bigint not null
);

create table terms_done (
  tenant text collate "C" primary key,
  first_hour bigint not null,
  next_hour bigint not null,
  stale_hour bigint
);

create table terms_month (
  tenant text collate "C" not null,
  hour bigint not null,
  state text collate "C" not null,
  primary key (tenant, hour)
);
