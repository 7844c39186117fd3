-- As on SQLite, where the columns are explained.
create table filed_cost (
  kind text collate "C" not null,
  name text collate "C" not null,
  node text collate "C" not null,
  primary key (kind, name)
);
