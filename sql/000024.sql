-- What an answer from the cache costs, of the price of the tokens that it spared (books/price.ts); null: nothing.
alter table price add column hit_percent integer;
