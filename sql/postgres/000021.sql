create table demand_hour (
  hour bigint not null,
  connection text collate "C" not null,
  at_ms bigint not null,
  interval_min bigint not null,
  energy_mj bigint not null,
  primary key (hour, connection)
);
