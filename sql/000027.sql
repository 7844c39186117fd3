-- What profit and loss adds up, by hour and by day: cost by source and kind, who bears it, and what was served. Made when an hour is
-- closed or corrected, of its transfers and tallies (books/pnl-sum.ts); a month of hours is then some thousand rows and not millions.
create table pnl_sum (
  span_h integer not null,            -- 1: an hour; 24: a day
  dimension text not null,            -- factory | tenant | model
  slot integer not null,              -- hours or days since 1970, UTC
  source text not null,               -- the account that a cost of the whole factory comes from; else empty
  name text not null,                 -- of a cost: a pattern of accounts that it went into; else a tenant or model
  measure text not null,              -- of a cost: its unit; else requests, nano_usd or a class of token
  amount integer not null,
  primary key (span_h, dimension, slot, source, name, measure)
) strict, without rowid;
-- Hours that were closed before there were these sums get them later.
alter table closed_hour add column summed integer not null default 0;
create index closed_hour_unsummed on closed_hour (hour) where summed = 0;
