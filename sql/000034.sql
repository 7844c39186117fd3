-- Sites: where engines stand (plant/infrastructure/site.ts). What was answered before there were any was answered at the main one.
create table engine_site (
  engine text not null,                -- of one that was removed too: what it cost stays where it stood
  from_ms integer not null,
  site text not null,
  primary key (engine, from_ms)
) strict;
-- Where it was answered; null: no engine was asked.
alter table request add column site text default 'main';
insert into tally (span_s, dimension, start_s, name, measure, amount)
  select span_s, 'site', start_s, 'main', measure, amount from tally
  where dimension = 'factory' and measure not in ('wasted', 'wasted_mj', 'idle_mj') and measure not like 'drawn/%';
insert into pnl_sum (span_h, dimension, slot, source, name, measure, amount)
  select span_h, 'site', slot, '', 'main', measure, amount from pnl_sum
  where dimension = 'factory' and source = '';
