-- Prices by SLO class (books/price.ts); null: for every class that has no price of its own.
alter table price add column slo text;
-- What is promised with it: the first token within so long, or so much of the charge comes back; null: nothing.
alter table price add column refund_ttft_ms integer;
alter table price add column refund_percent integer;
