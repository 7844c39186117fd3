import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backlogOf, backlogText } from './backlog.ts'
import { type Held, roomOf } from './room.ts'

const mib = 1024 * 1024
const bounds = { most_bytes: 1000 * mib, least_free_bytes: 256 * mib }
const began = { journal_bytes: 10 * mib, engine_log_bytes: 0, free_bytes: 10_000 * mib }
const stopped = { since_ms: 1_000_000, fault: 'unreachable', why: 'the database cannot be reached' }
const at = (after_ms: number, held: Partial<Held>, rows = 12) =>
  backlogOf(stopped, rows, roomOf({ ...began, ...held }, bounds, 'ample'), began, 1_000_000 + after_ms)

test('the nearer of both bounds is foretold by the pace since it began, and none by a pace that is none', () => {
  const cases: [after_ms: number, held: Partial<Held>, full_in_s: number | null][] = [
    [100_000, { journal_bytes: 110 * mib }, 890],
    [100_000, { journal_bytes: 60 * mib, engine_log_bytes: 50 * mib }, 890],
    [100_000, { journal_bytes: 110 * mib, free_bytes: 5000 * mib }, 95],
    [100_000, { journal_bytes: 110 * mib, free_bytes: null }, 890],
    [100_000, { journal_bytes: 10 * mib }, null],
    [100_000, { journal_bytes: 9 * mib, free_bytes: 11_000 * mib }, null],
    [5_000, { journal_bytes: 110 * mib }, null],
    [100_000, { journal_bytes: 1100 * mib }, 0],
  ]
  for (const [after_ms, held, full_in_s] of cases)
    assert.equal(at(after_ms, held).full_in_s, full_in_s, JSON.stringify(held))
})

test('it says what happens now, until which bound, and what then', () => {
  const serves = at(7_200_000, { journal_bytes: 30 * mib })
  assert.match(
    serves.next,
    /are served .* At 1000.0 MiB .* 256.0 MiB free .* about 4 d .*estimated.* 503 journal_unavailable/,
  )
  assert.equal(
    backlogText(serves),
    'since 1970-01-01T00:16:40.000Z (2 h): the database cannot be reached; 12 journal rows wait, 30.0 MiB are held',
  )
  assert.match(at(1000, {}).next, /on the disk, new requests/)
  assert.match(
    at(100_000, { journal_bytes: 1100 * mib }).next,
    /^new requests get 503 journal_unavailable.* nothing is lost/,
  )
})
