-- Prices by tenant, as its contract says (books/price.ts); null: the public list.
alter table price add column tenant text;
