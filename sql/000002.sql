-- Sums by time that pages show: made with the rows and transfers they come from, in the same transaction (books/tally.ts).
-- Traffic settled before this table existed is in the books and on statements, and not here.
create table tally (
  span_s integer not null,            -- 10 | 60 | 600 | 3600
  dimension text not null,            -- factory | model | application | key | replica | flow | outcome | waste | meter
  start_s integer not null,           -- seconds since 1970, a multiple of span_s
  name text not null,
  measure text not null,
  amount integer not null,
  primary key (span_s, dimension, start_s, name, measure)
) strict, without rowid;

-- The last requests of one model, application or key, and those that failed: a page each, newest first.
create index request_model on request (model, closed_ms);
create index request_application on request (tenant, application, closed_ms);
create index request_key on request (api_key, closed_ms);
create index request_failed on request (closed_ms) where outcome not in ('complete', 'client_closed');
