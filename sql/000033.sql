-- A home that is lost is given up by name: whatever lies in its journals and logs is waited for no more.
alter table node add column abandoned_ms integer; -- null: it is not
alter table journal add column node text;         -- whose home it lies in, where several share the store
alter table engine_log add column node text;
