-- Keys of the control API beside admin.key, each with a role, for the whole factory or one tenant.
create table admin_key (
  id text primary key,
  hash text not null unique,          -- HMAC-SHA-256 under the pepper; the key itself is nowhere
  prefix text not null,
  name text not null,                 -- whose it is, in words
  role text not null check (role in ('viewer', 'operator', 'admin')),
  tenant text,                        -- null: the whole factory
  expires_ms integer,
  revoked_ms integer,
  created_ms integer not null
) strict;
-- Under which of them a session began; null: under admin.key.
alter table session add column admin_key text;

-- Who changed what: written in the transaction of the change, chained by its hashes, and only ever added to.
create table change_log (
  seq integer primary key,
  at_ms integer not null,
  who text not null,
  action text not null,               -- the route that was called, or why the factory did it by itself
  kind text not null,
  what text not null,
  before text,                        -- JSON without secrets; null: it was not there
  after text,                         -- null: it is gone
  hash text not null                  -- SHA-256 over the hash before it and this line
) strict;
create trigger change_log_stays before update on change_log
begin select raise(abort, 'the log of changes is only added to'); end;
create trigger change_log_keeps before delete on change_log
begin select raise(abort, 'the log of changes is only added to'); end;

-- Guard rails: declared checks of prompts and answers, for everybody, a tenant, an application or a model.
create table guard_rail (
  name text primary key,
  scope text not null,
  of text not null,
  rules text not null,                -- JSON: input and output
  created_ms integer not null
) strict;
