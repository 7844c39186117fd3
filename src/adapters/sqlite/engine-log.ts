/**
 * An engine's log → what it did for each attempt, and in which second. Lines and cursor in one transaction, so that a line
 * counts once however often its file is read.
 */
import { putAside } from '../../books/effect.ts'
import { firstSecond } from '../../books/seen.ts'
import type { EngineAttempt } from '../../books/work.ts'
import { heardMore, workOfLines } from '../../books/work.ts'
import type { AttemptId, Incarnation, ReplicaId, RequestId } from '../../units/ids.ts'
import type { EngineLogLine } from '../llama/protocol.ts'
import { apply } from './apply.ts'
import { markStale } from './costs/stale.ts'
import type { Piece, Place } from './engine-files.ts'
import { parseEngineLine } from './engine-line.ts'
import { isWaitedFor, nodeOf } from './nodes.ts'
import { all, one, run } from './query.ts'
import type { Store } from './store.ts'

export interface EngineCursor extends Place {
  readonly read_to_ms: number
  readonly dead: boolean
}

export function engineCursor(store: Store, incarnation: string): EngineCursor {
  const row = one<{ file: number; offset: number; read_to_ms: number; dead: number }>(
    store.database,
    'select file, "offset", read_to_ms, dead from engine_log where incarnation = ?',
    incarnation,
  )
  return row ? { ...row, dead: row.dead === 1 } : { file: 0, offset: 0, read_to_ms: 0, dead: false }
}

/** Books a piece that was read from `from`; a piece that is not the next one is passed over. */
export function ingestEngineLog(
  store: Store,
  incarnation: string,
  replica: ReplicaId,
  from: Place,
  piece: Piece,
): void {
  store.transaction(() => {
    const cursor = engineCursor(store, incarnation)
    if (cursor.file !== from.file || cursor.offset !== from.offset) return
    const lines = piece.lines.flatMap((text, index) => {
      const line = parseEngineLine(text)
      if (!line) apply(store, [putAside(incarnation, `${from.file}:${from.offset}:${index}`, 'unreadable', text)])
      return line ?? []
    })
    bookLines(store, incarnation, replica, lines)
    saveCursor(store, incarnation, replica, piece.next)
  })
}

const saveCursor = (store: Store, incarnation: string, replica: ReplicaId, { file, offset }: Place): void =>
  void run(
    store.database,
    `insert into engine_log (incarnation, replica, file, "offset", read_to_ms, node) values (?, ?, ?, ?, 0, ?)
     on conflict (incarnation) do update set file = excluded.file, "offset" = excluded."offset",
       node = coalesce(engine_log.node, excluded.node)`,
    incarnation,
    replica,
    file,
    offset,
    nodeOf(store),
  )

/** All that it logged before `now_ms` has been read: its file was at its end after that moment. */
export const engineReadTo = (store: Store, incarnation: string, now_ms: number): void =>
  void run(
    store.database,
    'update engine_log set read_to_ms = ? where incarnation = ? and read_to_ms < ?',
    now_ms,
    incarnation,
    now_ms,
  )

function bookLines(store: Store, incarnation: string, replica: ReplicaId, lines: readonly EngineLogLine[]): void {
  const { attempts, seconds } = workOfLines(lines, firstOpenSecond(store))
  for (const heard of attempts.values()) {
    const known = one<AttemptRow>(store.database, 'select * from engine_attempt where id = ?', heard.attempt)
    const more = heardMore(known && attemptOf(known), heard, incarnation, replica)
    if (more) saveAttempt(store, more)
  }
  const worked = [...seconds.values()].map(({ second }) => Math.floor(second / 3600))
  if (worked.length > 0) markStale(store, Math.min(...worked), Math.max(...worked))
  for (const { second, attempt, tokens, work, cpu_us } of seconds.values())
    run(
      store.database,
      addSecond,
      second,
      attempt,
      tokens,
      work.step_e9,
      work.prefill,
      work.prefill_context,
      work.decode,
      work.kv_read,
      cpu_us,
    )
}

const upsertAttempt = `
  insert into engine_attempt
    (id, request, gateway, incarnation, replica, model, input_uncached, cache_read, output, last_ms, final)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (id) do update set
    model = excluded.model, input_uncached = excluded.input_uncached, cache_read = excluded.cache_read,
    output = excluded.output, last_ms = excluded.last_ms, final = excluded.final`

const saveAttempt = (store: Store, one: EngineAttempt): void =>
  void run(
    store.database,
    upsertAttempt,
    one.attempt,
    one.request,
    one.gateway,
    one.incarnation,
    one.replica,
    one.model,
    one.input_uncached,
    one.cache_read,
    one.output,
    one.last_ms,
    one.final ? 1 : 0,
  )

const addSecond = `
  insert into engine_second (second, attempt, tokens, step_e9, prefill, prefill_context, decode, kv_read, cpu_us)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (second, attempt) do update set
    ${['tokens', 'step_e9', 'prefill', 'prefill_context', 'decode', 'kv_read', 'cpu_us']
      .map((column) => `${column} = engine_second.${column} + excluded.${column}`)
      .join(', ')}`

/** A dead engine's log was read to its end: what it had not finished will not change any more. */
export function finishEngine(store: Store, incarnation: string): void {
  store.transaction(() => {
    run(store.database, 'update engine_attempt set final = 1 where incarnation = ? and final = 0', incarnation)
    run(store.database, 'update engine_log set dead = 1 where incarnation = ?', incarnation)
  })
}

/** Up to when every living engine's log has been read, but of homes that are given up; infinity when none lives. */
export function enginesReadTo(store: Store): number {
  const row = one<{ read: number | null }>(
    store.database,
    `select min(read_to_ms) as read from engine_log l where dead = 0 and ${isWaitedFor('l')}`,
  )
  return row?.read ?? Number.POSITIVE_INFINITY
}

export interface AttemptRow {
  readonly id: string
  readonly request: string
  readonly gateway: string
  readonly incarnation: string
  readonly replica: string
  readonly model: string
  readonly input_uncached: number
  readonly cache_read: number
  readonly output: number
  readonly last_ms: number
  readonly final: number
  readonly reconciled: number
}

export const attemptOf = (row: AttemptRow): EngineAttempt => ({
  attempt: row.id as AttemptId,
  request: row.request as RequestId,
  gateway: row.gateway as Incarnation,
  incarnation: row.incarnation,
  replica: row.replica as ReplicaId,
  model: row.model,
  input_uncached: row.input_uncached,
  cache_read: row.cache_read,
  output: row.output,
  last_ms: row.last_ms,
  final: row.final === 1,
  reconciled: row.reconciled === 1,
})

/** What the engines logged for one request, attempt by attempt. */
export const worksOf = (store: Pick<Store, 'database'>, request: string): EngineAttempt[] =>
  all<AttemptRow>(store.database, 'select * from engine_attempt where request = ? order by id', request).map(attemptOf)

const lastAttributed = 'select to_ms from meter_interval where posted_ms is not null order by to_ms desc limit 1'

/** The first second that lies in no interval whose energy is attributed. */
const firstOpenSecond = ({ database }: Pick<Store, 'database'>): number =>
  firstSecond(one<{ to_ms: number }>(database, lastAttributed)?.to_ms ?? 0)
