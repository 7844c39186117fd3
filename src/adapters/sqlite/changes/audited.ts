import type { Database } from '../../database/database.ts'
import { all } from '../query.ts'

/** A table whose every change is logged. */
export interface Audited {
  readonly table: string
  /** What people call a row of it. */
  readonly kind: string
  /** The columns that name a row. */
  readonly name: readonly string[]
  /** Columns that are no one's business, hashed or not. */
  readonly hidden?: readonly string[]
}

/** Who may ask, what serves, what it costs and who governs: all that people set. What the factory learns is not in it. */
export const audited: readonly Audited[] = [
  { table: 'tenant', kind: 'tenant', name: ['id'] },
  { table: 'application', kind: 'application', name: ['tenant', 'id'] },
  { table: 'api_key', kind: 'key', name: ['id'], hidden: ['hash'] },
  { table: 'admin_key', kind: 'admin key', name: ['id'], hidden: ['hash'] },
  { table: 'engine', kind: 'engine', name: ['name'] },
  { table: 'engine_model', kind: 'model of an engine', name: ['engine', 'public'] },
  { table: 'engine_site', kind: 'site of an engine', name: ['engine'] },
  { table: 'engine_meter', kind: 'meter of an engine', name: ['engine', 'meter'] },
  { table: 'meter_place', kind: 'place of a meter', name: ['meter'] },
  { table: 'engine_cost', kind: 'cost of an engine', name: ['engine'] },
  { table: 'cost_declaration', kind: 'cost', name: ['kind', 'name', 'version'] },
  { table: 'model_file', kind: 'model file', name: ['name'] },
  { table: 'model_alias', kind: 'alias', name: ['name', 'place'] },
  { table: 'price', kind: 'price', name: ['model', 'version'] },
  { table: 'exchange_version', kind: 'declaration of rates', name: ['version'] },
  { table: 'exchange_rate', kind: 'exchange rate', name: ['currency', 'day', 'version'] },
  { table: 'tenant_currency', kind: 'currency of a tenant', name: ['tenant', 'version'] },
  { table: 'credit', kind: 'credit', name: ['tenant', 'id'] },
  { table: 'agreement', kind: 'terms', name: ['kind', 'version'] },
  { table: 'allowance', kind: 'budget', name: ['id'] },
  { table: 'webhook', kind: 'webhook', name: ['name'] },
  { table: 'power_limit', kind: 'power limit', name: ['name'] },
  { table: 'power_event', kind: 'power event', name: ['id'] },
  { table: 'guard_rail', kind: 'guard rail', name: ['name'] },
]

/**
 * Has SQLite itself note every change of those tables, in a table of this connection alone, so that no code can forget to.
 * Triggers are made anew at each start from the columns as they are: a column that is added later is logged too.
 */
export function watchChanges(database: Database): void {
  database.exec('create temp table changed (seq integer primary key, kind text, what text, before text, after text)')
  for (const one of audited)
    for (const event of ['insert', 'update', 'delete'] as const) database.exec(trigger(database, one, event))
}

function trigger(database: Database, { table, kind, name, hidden = [] }: Audited, event: string): string {
  const columns = all<{ name: string }>(database, `select name from pragma_table_info('${table}')`)
    .map((column) => column.name)
    .filter((column) => !hidden.includes(column))
  const row = (side: 'old' | 'new'): string =>
    `json_object(${columns.map((column) => `'${column}', ${side}."${column}"`).join(', ')})`
  const side = event === 'delete' ? 'old' : 'new'
  const what = name.map((column) => `${side}."${column}"`).join(" || '/' || ")
  const [before, after] = [event === 'insert' ? 'null' : row('old'), event === 'delete' ? 'null' : row('new')]
  return `create temp trigger "changed_${table}_${event}" after ${event} on main."${table}"
    begin insert into changed (kind, what, before, after) values ('${kind}', ${what}, ${before}, ${after}); end`
}
