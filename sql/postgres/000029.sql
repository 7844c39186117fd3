alter table lease add column free numeric not null default 0;
alter table lease add column reserved numeric not null default 0;
alter table lease add column short numeric not null default 0;
create index lease_short on lease (short) where short > 0;

create table node (
  id text collate "C" primary key,
  number bigint not null unique,
  host text collate "C" not null,
  gateways bigint not null,
  seen_ms bigint not null,
  read_to_ms bigint
);
