-- What was learned of which hours, so that an hour's cost that was worked out before is not posted after it. Ranges come again and
-- again, and each is one row: `number` is that of the last time.
create table learned (
  from_hour integer not null,         -- counted from 1970
  to_hour integer not null,           -- included
  number integer not null,            -- each is higher than all before it
  primary key (from_hour, to_hour)
) strict, without rowid;
create unique index learned_number on learned (number);
