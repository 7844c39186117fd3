-- As on SQLite, where the columns are explained.
alter table price add column site text collate "C";
alter table statement_part add column site text collate "C" not null default 'main';
alter table statement_part drop constraint statement_part_pkey;
alter table statement_part add primary key (tenant, hour, application, model, price_version, site, cause, class);
alter table rolled_part add column site text collate "C" not null default 'main';
alter table rolled_part drop constraint rolled_part_pkey;
alter table rolled_part add primary key (tenant, day, application, model, price_version, site, cause, class);
