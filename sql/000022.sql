-- Tokens that each closed hour served of models whose making is borne by tokens (books/making.ts).
create table served_hour (
  hour integer not null,
  model text not null,
  tokens integer not null,
  primary key (hour, model)
) strict;
