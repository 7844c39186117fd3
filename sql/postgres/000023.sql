-- As sql/000023.sql.
alter table tenant add column key_quota bigint not null default 0;
alter table session add column api_key text collate "C";
create index request_tenant_failed on request (tenant, closed_ms) where outcome not in ('complete', 'client_closed');
