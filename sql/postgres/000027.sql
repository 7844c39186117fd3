create table pnl_sum (
  span_h bigint not null,
  dimension text collate "C" not null,
  slot bigint not null,
  source text collate "C" not null,
  name text collate "C" not null,
  measure text collate "C" not null,
  amount numeric not null,
  primary key (span_h, dimension, slot, source, name, measure)
);
alter table closed_hour add column summed bigint not null default 0;
create index closed_hour_unsummed on closed_hour (hour) where summed = 0;
