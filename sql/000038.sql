-- Costs that a file of settings states: what it states no more ends.
create table filed_cost (
  kind text not null,
  name text not null,
  node text not null,                 -- the home whose file it is, where several share the store; else empty
  primary key (kind, name)
) strict, without rowid;
