-- As on SQLite, where the columns are explained.
alter table api_key add column by_tenant bigint not null default 0;
