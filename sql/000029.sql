-- What a gateway last said of its lease: of several operators on one database each must know it of the others' gateways.
alter table lease add column free integer not null default 0;     -- could still come back
alter table lease add column reserved integer not null default 0; -- held by requests under way
alter table lease add column short integer not null default 0;    -- what its requests still wait for
create index lease_short on lease (short) where short > 0;

-- Homes whose operators share this database (only PostgreSQL can be shared; a file has none).
create table node (
  id text primary key,            -- kept in the home
  number integer not null unique, -- 1 was the first: the embedded engine and the machine's meters are its
  host text not null,
  gateways integer not null,
  seen_ms integer not null,
  read_to_ms integer              -- all journals in its home up to then are known and read; null: it was stopped, and has none
) strict;
