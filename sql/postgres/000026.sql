-- As 000026.sql beside this folder, where it is said what the columns mean.
create table meter_place (
  meter text collate "C" not null,
  level text collate "C" not null check (level in ('host', 'facility')),
  rule text collate "C" not null check (rule in ('energy', 'chips', 'overhead')),
  below text collate "C" not null,
  from_ms bigint not null,
  until_ms bigint,
  primary key (meter, from_ms),
  foreign key (meter) references meter (name)
);

create table upper_interval (
  meter text collate "C" not null,
  sequence bigint not null,
  from_ms bigint not null,
  to_ms bigint not null,
  energy_mj bigint not null,
  grade text collate "C" not null,
  reset bigint not null,
  closed_ms bigint,
  state text collate "C",
  rest_mj bigint,
  owed_before_mj bigint,
  booked_mj bigint,
  owed_mj bigint,
  primary key (meter, sequence)
);
create index upper_interval_to on upper_interval (meter, to_ms);
create index upper_interval_open on upper_interval (meter, sequence) where closed_ms is null;
create table upper_part (
  meter text collate "C" not null,
  sequence bigint not null,
  below text collate "C" not null,
  first bigint,
  last bigint,
  energy_mj bigint not null,
  primary key (meter, sequence, below)
);

create table upper_hour (
  meter text collate "C" not null,
  hour bigint not null,
  intervals bigint not null,
  energy_mj bigint not null,
  below_mj bigint not null,
  booked_mj bigint not null,
  owed_mj bigint not null,
  unseen_mj bigint not null,
  negative bigint not null,
  whole_ms bigint not null,
  whole_mj bigint not null,
  whole_below_mj bigint not null,
  primary key (meter, hour)
);

create index meter_interval_meter_to on meter_interval (meter, to_ms);
