-- The store of the operator. Times are milliseconds since 1970 (UTC); amounts are whole numbers of the smallest unit.

-- Who may ask. A key is stored as HMAC-SHA-256 with the factory's pepper; the key itself is nowhere.
create table tenant (id text primary key, created_ms integer not null) strict;
create table application (
  tenant text not null references tenant (id),
  id text not null,
  created_ms integer not null,
  primary key (tenant, id)
) strict;
create table api_key (
  id text primary key,
  hash text not null unique,
  prefix text not null,               -- first characters, for people to recognise it
  tenant text not null,
  application text not null,
  models text,                        -- JSON array; null: all
  requests_per_minute integer,
  tokens_per_minute integer,
  expires_ms integer,
  revoked_ms integer,
  created_ms integer not null,
  foreign key (tenant, application) references application (tenant, id)
) strict;

-- What serves. The embedded engine is the row named `embedded` with vendor `llama`.
create table engine (
  name text primary key,
  vendor text not null,               -- llama | openai
  url text,
  key_from text,                      -- env:NAME or file:PATH, never the secret
  concurrency integer not null,
  draining integer not null default 0,
  created_ms integer not null
) strict;
create table engine_model (
  engine text not null references engine (name) on delete cascade,
  public text not null,
  upstream text not null,
  primary key (engine, public)
) strict;
-- Files that the embedded engine loads.
create table model_file (
  name text primary key,
  path text not null,
  sha256 text not null,
  bytes integer not null,
  created_ms integer not null
) strict;

-- Prices are never changed; a new price is a new version. Nano-dollars per million tokens.
create table price (
  version integer primary key,
  model text not null,
  effective_from_ms integer not null,
  input_uncached integer not null,
  cache_read integer not null,
  cache_write integer not null,
  output_visible integer not null,
  reasoning integer not null,
  note text not null
) strict;
create table counter (name text primary key, value integer not null) strict;

-- Journals of the gateways: how far each was read, and whether it is complete.
create table journal (
  incarnation text primary key,
  seq integer not null,               -- last row read; rows are numbered 1, 2, 3, … without a gap
  gap_at integer,                     -- first row that is missing though later ones are there: reading stopped before it
  dead_ms integer                     -- when its gateway was found dead; set once all of it has been read
) strict;
-- Requests that were opened and are not settled yet.
create table open_request (id text primary key, incarnation text not null, body text not null, hash text not null) strict;
create index open_request_incarnation on open_request (incarnation);
-- Settled requests, once each. `body` is the close row as it was journaled.
create table request (
  id text primary key,
  tenant text not null,
  application text not null,
  api_key text not null,
  model text not null,
  price_version integer,
  outcome text not null,
  at_ms integer not null,
  closed_ms integer not null,
  body text not null,
  hash text not null
) strict;
create index request_closed on request (closed_ms);
create index request_tenant on request (tenant, closed_ms);
-- What contradicts the books: never posted, always shown.
create table quarantine (
  id integer primary key,
  source text not null,               -- a gateway's or an engine's incarnation
  subject text not null,              -- number of the journal row, attempt, or place in the engine's log
  reason text not null,
  body text not null,
  unique (source, subject, reason)
) strict;

-- The ledger. Transfers are immutable; balances are derived from them, per account, unit and UTC day.
create table transfer (
  id text primary key,
  unit text not null,                 -- nano-USD | mJ | token
  debit text not null,                -- the account it comes from
  credit text not null,               -- the account it goes to
  amount integer not null check (amount > 0),
  request text,
  at_ms integer not null
) strict;
create index transfer_request on transfer (request);
create index transfer_at on transfer (at_ms);
create table balance (
  account text not null,
  unit text not null,
  day integer not null,               -- days since 1970
  amount integer not null,
  primary key (account, unit, day)
) strict;

-- The engines' own logs: how far each file was read, what they did for each attempt, and in which second.
create table engine_log (
  incarnation text primary key,
  replica text not null,
  file integer not null,              -- number of the file being read
  offset integer not null,            -- bytes of it that were read
  read_to_ms integer not null,        -- everything logged before this moment has been read
  dead integer not null default 0
) strict;
create table engine_attempt (
  id text primary key,
  request text not null,
  gateway text not null,              -- incarnation that its name says asked for it
  incarnation text not null,
  replica text not null,
  model text not null,
  input_uncached integer not null,
  cache_read integer not null,
  output integer not null,
  last_ms integer not null,
  final integer not null default 0,   -- 1: the figures will not change
  reconciled integer not null default 0
) strict;
create index engine_attempt_open on engine_attempt (reconciled, final);
create index engine_attempt_request on engine_attempt (request);
create table engine_second (
  second integer not null,            -- seconds since 1970
  attempt text not null,
  tokens integer not null,            -- prompt tokens evaluated + tokens sampled
  primary key (second, attempt)
) strict, without rowid;
create index engine_second_attempt on engine_second (attempt);

-- Meter samples are kept raw in files; here are the intervals between them, and how far they are attributed.
create table meter_interval (
  meter text not null,
  sequence integer not null,
  from_ms integer not null,
  to_ms integer not null,
  energy_mj integer not null,
  idle_mj integer not null,
  grade text not null,
  reset integer not null,
  posted_ms integer,                  -- when it was attributed; null: not yet
  primary key (meter, sequence)
) strict;
create index meter_interval_open on meter_interval (posted_ms, to_ms);
create index meter_interval_to on meter_interval (to_ms);
