-- In what tenants are billed, and what a dollar buys of it (books/exchange). Each declaration has a number, a date and a reason; none
-- ever changes: another rate for the same day, or another currency, is a declaration of its own.
create table exchange_version (
  version integer primary key,
  declared_ms integer not null,
  note text not null
) strict;
create table exchange_rate (
  version integer not null,
  currency text not null,              -- ISO 4217
  day integer not null,                -- counted from 1970, UTC: from then on, until the next day that has a rate
  rate integer not null,               -- of the currency for a dollar, in 10^-12
  primary key (version, currency, day)
) strict, without rowid;
create index exchange_rate_day on exchange_rate (currency, day);
create table tenant_currency (
  version integer primary key,
  tenant text not null,
  currency text not null,              -- ISO 4217, or USD again
  from_day integer not null            -- the first of a month
) strict;
create index tenant_currency_tenant on tenant_currency (tenant);
