-- What tenants agreed to beside the prices of requests (books/terms). A credit never changes, but that it may end early.
create table credit (
  id text primary key,
  tenant text not null,
  kind text not null,                  -- prepaid | promo
  amount integer not null,             -- nano-USD
  granted_ms integer not null,
  from_hour integer not null,          -- it pays charges of this hour, counted from 1970, on
  until_hour integer,                  -- and no longer those of this one; null: it does not end
  returned integer not null default 0, -- it ended because what was left was given back
  note text not null
) strict;
create index credit_tenant on credit (tenant);
-- Tenants that are served for as long as their credit lasts: what may be charged in all is `base` more than was charged and is left.
create table credit_only (
  tenant text primary key,
  base integer not null,
  allowed integer not null,            -- nano-USD, as worked out in `hour`
  hour integer not null
) strict;
-- How far the terms of tenants that have any are posted.
create table terms_done (
  tenant text primary key,
  first_hour integer not null,         -- since when there are terms
  next_hour integer not null,          -- hours before it are posted
  stale_hour integer                   -- the first of them of which something was learned since; null: none
) strict;
-- What a tenant's hours left to the month that began (books/terms/terms.ts): where to begin when hours are worked out again.
create table terms_month (
  tenant text not null,
  hour integer not null,
  state text not null,                 -- JSON, amounts as text
  primary key (tenant, hour)
) strict, without rowid;
