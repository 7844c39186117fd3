-- Sessions of the console: HMAC-SHA-256 of the token under the admin key, so that a new admin key ends them all.
create table session (hash text primary key, expires_ms integer not null) strict, without rowid;
