-- What keys, applications, tenants and models may use, and who holds how much of it (control/lease/authority.ts).
create table allowance (
  id text primary key,                -- scope/of/unit/renews
  scope text not null,
  of text not null,
  unit text not null,
  renews text not null,
  amount integer not null check (amount >= 0),
  created_ms integer not null
) strict;
create table lease (
  allowance text not null,
  period integer not null,
  incarnation text not null,          -- the gateway's
  granted integer not null,           -- granted less given back; once settled: what its requests really used
  settled integer not null default 0, -- the gateway is dead and its journal was read to its end
  primary key (allowance, period, incarnation)
) strict;
create index lease_open on lease (settled, incarnation);
-- Rates: what was left of the minute, and when.
create table lease_rate (allowance text primary key, level real not null, at_ms integer not null) strict;
