create table served_hour (
  hour bigint not null,
  model text collate "C" not null,
  tokens bigint not null,
  primary key (hour, model)
);
