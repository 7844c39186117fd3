-- Of what was settled for all gateways at once: requests that were asked for until then are in it, and are not counted again.
alter table lease add column until_ms integer not null default 0;
