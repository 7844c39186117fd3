-- The highest interval of each closed hour at each connection to the grid: what demand charges are of (books/demand.ts).
create table demand_hour (
  hour integer not null,
  connection text not null,           -- a meter with a demand charge of its own, or `all` others together
  at_ms integer not null,             -- when the interval began
  interval_min integer not null,
  energy_mj integer not null,         -- in the interval, times PUE
  primary key (hour, connection)
) strict;
