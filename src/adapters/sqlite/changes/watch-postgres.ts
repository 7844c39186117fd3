import type { PostgresDatabase } from '../../postgres/postgres-database.ts'
import { all } from '../query.ts'
import { type Audited, audited } from './audited.ts'

/**
 * Has PostgreSQL note every change of the tables that are logged, in a table of this connection alone. Triggers are made
 * anew with each connection, from the columns as they are. What another connection changes has no name of ours: it is not noted.
 */
export function watchChanges(database: PostgresDatabase): void {
  database.exec(`create temp table if not exists changed
    (seq bigint generated always as identity, kind text, what text, before text, after text)`)
  database.exec(audited.map((one) => triggerOf(database, one)).join('\n'))
}

function triggerOf(database: PostgresDatabase, { table, kind, name, hidden = [] }: Audited): string {
  const find = `select column_name as name from information_schema.columns
    where table_schema = current_schema() and table_name = ? order by ordinal_position`
  const columns = all<{ name: string }>(database, find, table)
    .map((column) => column.name)
    .filter((column) => column !== 'rowid' && !hidden.includes(column))
  const row = (side: 'old' | 'new'): string =>
    `(select row_to_json(r)::text from (select ${columns.map((column) => `${side}."${column}"`).join(', ')}) r)`
  return `
    create or replace function changed_${table}() returns trigger language plpgsql as $changed$
    declare named record;
    begin
      if to_regclass('pg_temp.changed') is null then return null; end if;
      if tg_op = 'DELETE' then named := old; else named := new; end if;
      insert into pg_temp.changed (kind, what, before, after) values (
        '${kind}', ${name.map((column) => `named."${column}"`).join(" || '/' || ")},
        case when tg_op <> 'INSERT' then ${row('old')} end, case when tg_op <> 'DELETE' then ${row('new')} end);
      return null;
    end $changed$;
    create or replace trigger changed after insert or update or delete on ${table}
      for each row execute function changed_${table}();`
}
