-- As on SQLite, where the columns are explained.
alter table lease add column until_ms bigint not null default 0;
