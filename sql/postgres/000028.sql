-- As sql/000028.sql.
alter table engine_model add column context_tokens bigint;
