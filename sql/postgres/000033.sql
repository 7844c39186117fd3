-- As on SQLite, where the columns are explained.
alter table node add column abandoned_ms bigint;
alter table journal add column node text collate "C";
alter table engine_log add column node text collate "C";
