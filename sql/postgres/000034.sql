-- As on SQLite, where the columns are explained.
create table engine_site (
  engine text collate "C" not null,
  from_ms bigint not null,
  site text collate "C" not null,
  primary key (engine, from_ms)
);
alter table request add column site text collate "C" default 'main';
insert into tally (span_s, dimension, start_s, name, measure, amount)
  select span_s, 'site', start_s, 'main', measure, amount from tally
  where dimension = 'factory' and measure not in ('wasted', 'wasted_mj', 'idle_mj') and measure not like 'drawn/%';
insert into pnl_sum (span_h, dimension, slot, source, name, measure, amount)
  select span_h, 'site', slot, '', 'main', measure, amount from pnl_sum
  where dimension = 'factory' and source = '';
