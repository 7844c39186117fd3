-- As on SQLite, where it is said what the columns mean.
alter table engine_meter add column slice text collate "C";
alter table engine_meter add column sms bigint;
alter table engine_meter add column board_sms bigint;
alter table engine_meter add column instance text collate "C";
alter table meter add column idle_rule text collate "C";
alter table meter_interval add column instances text collate "C";
alter table meter_interval add column slices text collate "C";
