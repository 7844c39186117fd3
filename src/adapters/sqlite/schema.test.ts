import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { all } from './query.ts'
import { SqliteDatabase } from './sqlite-database.ts'
import { migrate } from './store.ts'

const scripts = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /^\d{6}\.sql$/.test(name))
    .sort()

test('both databases have the same tables with the same columns, and their newest scripts the same number', () => {
  assert.equal(scripts('sql/postgres').at(-1), scripts('sql').at(-1), 'a change of one is a change of both')

  const sqlite = new SqliteDatabase(':memory:')
  migrate(sqlite, 'test')
  const wanted = new Map<string, string[]>()
  const list = "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'"
  for (const { name } of all<{ name: string }>(sqlite, list))
    wanted.set(
      name,
      all<{ name: string }>(sqlite, `select name from pragma_table_info('${name}')`)
        .map((column) => column.name)
        .sort(),
    )
  sqlite.close()
  assert(wanted.size > 40, 'a check that saw nothing proves nothing')
  const found = columnsIn(scripts('sql/postgres').map((name) => readFileSync(`sql/postgres/${name}`, 'utf8')))
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries([...wanted].sort()))
})

/** As the scripts say it: each column on a line of its own, or added by an `alter table`. */
function columnsIn(texts: readonly string[]): Map<string, string[]> {
  const tables = new Map<string, string[]>()
  for (const text of texts) {
    for (const [, table = '', body = ''] of text.matchAll(/^create table (\w+) \(\n([\s\S]*?)\n\)/gm))
      tables.set(
        table,
        [...body.matchAll(/^ {2}"?(\w+)"? (?:text|bigint|numeric|double)/gm)].map(([, name = '']) => name),
      )
    for (const [, table = '', column = ''] of text.matchAll(/^alter table (\w+) add column "?(\w+)"?/gm))
      tables.get(table)?.push(column)
    for (const [, table = ''] of text.matchAll(/^drop table (\w+)/gm)) tables.delete(table)
  }
  // The order of insertion, which SQLite keeps unasked.
  for (const [table, columns] of tables) tables.set(table, columns.filter((name) => name !== 'rowid').sort())
  return new Map([...tables].sort())
}
