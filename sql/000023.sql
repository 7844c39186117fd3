-- Tenants that look after themselves: how many keys a tenant may have when it makes one by itself; 0: it makes none.
alter table tenant add column key_quota integer not null default 0;
-- Under which of a tenant's keys a session began; null: under a key of the control API.
alter table session add column api_key text;
-- What a tenant's error log reads.
create index request_tenant_failed on request (tenant, closed_ms) where outcome not in ('complete', 'client_closed');
