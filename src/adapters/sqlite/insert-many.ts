import type { Database, Value } from '../database/database.ts'

/** Rows of one table, and what of each column they are. */
export interface Insert {
  readonly table: string
  readonly columns: Readonly<Record<string, 'text' | 'integer' | 'real'>>
  /** What happens to a row that is there already; without it that is an error. */
  readonly conflict?: string
}

/**
 * Many rows at the cost of one statement where a statement is a round trip: on PostgreSQL each column goes as one array. SQLite has
 * no way to go, and takes them one by one. On PostgreSQL no two of them may change the same row.
 */
export function insertMany(database: Database, insert: Insert, rows: readonly (readonly Value[])[]): void {
  if (database.dialect === 'sqlite') {
    const sql = rowByRow(insert)
    for (const row of rows) database.run(sql, row)
  } else for (const some of pieces(rows)) database.run(allAtOnce(insert), arrays(insert, some))
}

/** As `insertMany`, where a row whose first column is there already is left alone: which of them were new. */
export function insertNew(
  database: Database,
  insert: Omit<Insert, 'conflict'>,
  rows: readonly (readonly Value[])[],
): boolean[] {
  const [key = ''] = Object.keys(insert.columns)
  const alone = { ...insert, conflict: `on conflict (${key}) do nothing` }
  if (database.dialect === 'sqlite') {
    const sql = rowByRow(alone)
    return rows.map((row) => database.run(sql, row) === 1)
  }
  return pieces(rows).flatMap((some) => {
    const sql = `${allAtOnce(alone)} returning ${key} as name`
    const made = database.all(sql, arrays(insert, some), 'bigint') as { name: Value }[]
    const names = new Set(made.map(({ name }) => name))
    // Of two of one name in a piece the first one is in.
    return some.map(([name = null]) => names.delete(name))
  })
}

/** One statement for many names, whose only value is compared by `= ?`. */
export function runEach(database: Database, sql: string, names: readonly string[]): void {
  if (database.dialect === 'sqlite') for (const name of names) database.run(sql, [name])
  else for (const some of pieces(names)) database.run(ofAny(sql), [arrayOf(some)])
}

/** As `runEach`, for rows that are asked for. */
export const allEach = (database: Database, sql: string, names: readonly string[]): unknown[] =>
  database.dialect === 'sqlite'
    ? names.flatMap((name) => database.all(sql, [name], 'number'))
    : pieces(names).flatMap((some) => database.all(ofAny(sql), [arrayOf(some)], 'number'))

const ofAny = (sql: string): string => sql.replace('= ?', '= any(cast(? as text[]))')

const columnsOf = ({ columns }: Insert): string =>
  Object.keys(columns)
    .map((name) => `"${name}"`)
    .join(', ')

const rowByRow = (insert: Insert): string =>
  `insert into ${insert.table} (${columnsOf(insert)}) values (${Object.keys(insert.columns)
    .map(() => '?')
    .join(', ')})
   ${insert.conflict ?? ''}`

const arrayTypes = { text: 'text[]', integer: 'bigint[]', real: 'float8[]' } as const

const allAtOnce = (insert: Insert): string =>
  `insert into ${insert.table} (${columnsOf(insert)})
   select * from unnest(${Object.values(insert.columns)
     .map((type) => `cast(? as ${arrayTypes[type]})`)
     .join(', ')})
   ${insert.conflict ?? ''}`

const arrays = ({ columns }: Insert, rows: readonly (readonly Value[])[]): string[] =>
  Object.keys(columns).map((_, place) => arrayOf(rows.map((row) => row[place] ?? null)))

const arrayOf = (values: readonly Value[]): string => `{${values.map(element).join(',')}}`

/** As PostgreSQL writes an array: text in quotes, so that nothing in it is read as more than text. */
const element = (value: Value): string =>
  value === null ? 'NULL' : typeof value === 'string' ? `"${value.replace(/[\\"]/g, '\\$&')}"` : String(value)

/** Some megabytes of the largest rows. */
const most = 5000

function pieces<Row>(rows: readonly Row[]): Row[][] {
  const found: Row[][] = []
  for (let from = 0; from < rows.length; from += most) found.push(rows.slice(from, from + most))
  return found
}
