-- What was agreed about how much is used (books/terms/agreement.ts). A version never changes; a later one takes its place, or ends it.
create table agreement (
  version integer primary key,
  tenant text,                         -- null: all that have none of their own
  kind text not null,                  -- free | graduated | volume | commitment
  model text,                          -- null: all models
  class text,                          -- null: all classes of token
  counts text not null,                -- tokens | nano-USD
  amount integer not null,             -- how much is free, or is owed at least, in what it counts
  tiers text not null,                 -- JSON: [{"from": …, "off": millionths}], whole numbers as text
  ended integer not null default 0,
  from_hour integer not null,          -- counted from 1970
  declared_ms integer not null,
  note text not null
) strict;
create index agreement_tenant on agreement (tenant);
-- What hours leave to the next is more now: it is worked out once from the beginning.
delete from terms_month;
-- What posted lines of terms come to by hours and by days, whose they are and of which model: for profit and loss (terms/sums.ts).
create table terms_sum (
  span_h integer not null,             -- 1 | 24
  slot integer not null,               -- counted from 1970
  tenant text not null,
  model text not null,                 -- empty: of none
  kind text not null,
  amount integer not null,             -- nano-USD
  primary key (span_h, slot, tenant, model, kind)
) strict, without rowid;
