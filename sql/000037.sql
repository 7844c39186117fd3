-- What is charged at a site (books/price.ts); null: at every site that has no price of its own.
alter table price add column site text;
-- Where what is on statements was answered: a part of their key.
create table sited (
  tenant text not null,
  hour integer not null,
  application text not null,
  model text not null,
  price_version integer not null,     -- 0: no price
  site text not null,                 -- where it was answered
  cause text not null,                -- of waste; empty: billed
  class text not null,
  requests integer not null,
  tokens integer not null,
  amount integer not null,            -- nano-dollars, each request's rounded as it was billed
  primary key (tenant, hour, application, model, price_version, site, cause, class)
) strict, without rowid;
insert into sited (tenant, hour, application, model, price_version, site, cause, class, requests, tokens, amount)
  select tenant, hour, application, model, price_version, 'main', cause, class, requests, tokens, amount from statement_part;
drop table statement_part;
alter table sited rename to statement_part;
create table sited (
  tenant text not null,
  day integer not null,
  application text not null,
  model text not null,
  price_version integer not null,     -- 0: no price
  site text not null,                 -- where it was answered
  cause text not null,                -- of waste; empty: billed
  class text not null,
  requests integer not null,
  tokens integer not null,
  amount integer not null,            -- nano-dollars, each request's rounded as it was billed
  primary key (tenant, day, application, model, price_version, site, cause, class)
) strict, without rowid;
insert into sited (tenant, day, application, model, price_version, site, cause, class, requests, tokens, amount)
  select tenant, day, application, model, price_version, 'main', cause, class, requests, tokens, amount from rolled_part;
drop table rolled_part;
alter table sited rename to rolled_part;
