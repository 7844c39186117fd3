-- Meters above others, such as a server's above those of its boards (plant/energy/levels.ts). What is below which is never changed: a
-- meter that moves has a later entry.
create table meter_place (
  meter text not null references meter (name),
  level text not null check (level in ('host', 'facility')),
  rule text not null check (rule in ('energy', 'chips', 'overhead')),
  below text not null,                -- JSON: names of the meters directly below it, in order
  from_ms integer not null,
  until_ms integer,                   -- null: still
  primary key (meter, from_ms)
) strict;

-- What an upper meter showed. What of it is beyond the meters below is its interval in meter_interval, from when it is known.
create table upper_interval (
  meter text not null,
  sequence integer not null,
  from_ms integer not null,
  to_ms integer not null,
  energy_mj integer not null,
  grade text not null,
  reset integer not null,
  closed_ms integer,                  -- when its rest was booked; null: not yet
  state text,                         -- whole | below unseen | unseen
  rest_mj integer,                    -- upper − Σ below; below zero, they contradict each other; null: it began anew
  owed_before_mj integer,             -- by the intervals before it in the same hour
  booked_mj integer,
  owed_mj integer,                    -- rest = booked − owed + owed before
  primary key (meter, sequence)
) strict, without rowid;
create index upper_interval_to on upper_interval (meter, to_ms);
create index upper_interval_open on upper_interval (meter, sequence) where closed_ms is null;

-- What the meters below showed in it, from the first to the last of their intervals that reach into it.
create table upper_part (
  meter text not null,
  sequence integer not null,
  below text not null,
  first integer,
  last integer,
  energy_mj integer not null,
  primary key (meter, sequence, below)
) strict, without rowid;

-- Sums by hour, which stay when the intervals are rolled up.
create table upper_hour (
  meter text not null,
  hour integer not null,              -- UTC, since 1970: that in which they ended
  intervals integer not null,
  energy_mj integer not null,         -- but for intervals that began anew
  below_mj integer not null,
  booked_mj integer not null,
  owed_mj integer not null,           -- at its end: energy = below + booked − owed
  unseen_mj integer not null,         -- of what is booked, with a meter below that was not seen
  negative integer not null,          -- intervals whose rest was below zero
  whole_ms integer not null,
  whole_mj integer not null,          -- shown in intervals in which every meter below was seen
  whole_below_mj integer not null,
  primary key (meter, hour)
) strict, without rowid;

create index meter_interval_meter_to on meter_interval (meter, to_ms);
