-- What a request moved in tokens and money is named after it; only its energy, named after its meter, has to be looked for by request
-- or by time. A transfer is found by its name alone, and most of them need no other order.
create table transfer_by_name (
  id text primary key,
  unit text not null,                 -- nano-USD | mJ | token | ugCO2e
  debit text not null,                -- the account it comes from
  credit text not null,               -- the account it goes to
  amount integer not null check (amount > 0),
  request text,
  at_ms integer not null
) strict, without rowid;
insert into transfer_by_name select * from transfer;
drop table transfer;
alter table transfer_by_name rename to transfer;
create index transfer_energy_of on transfer (request) where unit = 'mJ';
create index transfer_energy_at on transfer (at_ms) where unit = 'mJ';
