import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inPostgres } from './statement.ts'

const cases: readonly (readonly [sqlite: string, postgres: string])[] = [
  ['select a from t where b = ? and c = ?', 'select a from t where b = $1 and c = $2'],
  ['select a from t where ?1 is null or b = ?1 limit ?2', 'select a from t where $1::text is null or b = $1 limit $2'],
  ["select '?' || 'it''s ?' from t where b = ?", "select '?' || 'it''s ?' from t where b = $1"],
  ['select total(amount) as n from t', 'select coalesce(sum(amount), 0) as n from t'],
  ['select 1 from t where instr(credit, ?) = 1', 'select 1 from t where strpos(credit, $1) = 1'],
  ["select json_extract(o.body, '$.at_ms') from o", "select ((o.body)::json->>'at_ms')::bigint from o"],
  ['select 1 from t limit -1 offset ?', 'select 1 from t limit all offset $1'],
  [
    'where i.sequence = cast(substr(t.id, length(i.meter) + 2) as integer)',
    "where i.sequence = substring(substr(t.id, length(i.meter) + 2) from '^[0-9]+')::bigint",
  ],
]

test('what PostgreSQL spells differently is put in its words, and text stays as it is', () => {
  for (const [sqlite, postgres] of cases) assert.equal(inPostgres(sqlite), postgres)
})
