-- Who is told when something has to be looked at: a URL, and by which references its secrets are found, the newest first.
create table webhook (
  name text primary key,
  url text not null,
  secrets_from text not null,         -- JSON array of env:NAME or file:PATH, never the secrets
  types text not null,                -- JSON array; empty: all
  created_ms integer not null
) strict;
-- What was noticed. Written in the transaction that decides it, so that it is noticed once, whatever dies.
create table notice (
  id text primary key,
  type text not null,
  at_ms integer not null,
  body text not null
) strict;
create index notice_at on notice (at_ms);
create table notice_delivery (
  notice text not null references notice (id) on delete cascade,
  webhook text not null references webhook (name) on delete cascade,
  attempts integer not null,
  next_ms integer,                    -- null: delivered, or given up
  delivered_ms integer,
  trouble text,                       -- why the last attempt failed
  primary key (notice, webhook)
) strict;
create index notice_delivery_next on notice_delivery (next_ms) where next_ms is not null;
-- What was noticed already: of a budget, in its period, at a share.
create table noticed (what text primary key, at_ms integer not null) strict;
