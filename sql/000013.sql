-- Prices by SLO class (books/price.ts); null: for every class that has no price of its own.
alter table price add column slo text;
