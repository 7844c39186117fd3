-- Whether a tenant made the key by itself: how fast it does has a bound, which what the factory makes for it does not use up.
alter table api_key add column by_tenant integer not null default 0;
