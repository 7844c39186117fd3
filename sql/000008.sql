-- Other names for models: each stands for the first of its models, in this order, that some engine serves just now.
create table model_alias (
  name text not null,
  place integer not null,
  model text not null,
  primary key (name, place)
) strict, without rowid;
