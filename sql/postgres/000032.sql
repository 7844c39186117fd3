-- As on SQLite, where the columns are explained.
create table learned (
  from_hour bigint not null,
  to_hour bigint not null,
  number bigint not null,
  primary key (from_hour, to_hour)
);
create unique index learned_number on learned (number);
