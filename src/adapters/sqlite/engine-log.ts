/**
 * An engine's log → what it did for each attempt, and in which second. Lines and cursor in one transaction, so that a line
 * counts once however often its file is read.
 */
import type { EngineWork } from '../../books/settle.ts'
import { workOfLines } from '../../books/work.ts'
import type { AttemptId, ReplicaId } from '../../units/ids.ts'
import { gatewayOf } from '../../units/ids.ts'
import type { EngineLogLine } from '../llama/protocol.ts'
import type { Piece, Place } from './engine-files.ts'
import { parseEngineLine } from './engine-line.ts'
import { quarantine } from './ledger.ts'
import { all, one, run } from './query.ts'
import type { Store } from './store.ts'

export interface EngineCursor extends Place {
  readonly read_to_ms: number
  readonly dead: boolean
}

export function engineCursor(store: Store, incarnation: string): EngineCursor {
  const row = one<{ file: number; offset: number; read_to_ms: number; dead: number }>(
    store.database,
    'select file, offset, read_to_ms, dead from engine_log where incarnation = ?',
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
      if (!line) quarantine(store, incarnation, `${from.file}:${from.offset}:${index}`, 'unreadable', text)
      return line ?? []
    })
    bookLines(store, incarnation, replica, lines)
    saveCursor(store, incarnation, replica, piece.next)
  })
}

const saveCursor = (store: Store, incarnation: string, replica: ReplicaId, { file, offset }: Place): void =>
  void run(
    store.database,
    `insert into engine_log (incarnation, replica, file, offset, read_to_ms) values (?, ?, ?, ?, 0)
     on conflict (incarnation) do update set file = excluded.file, offset = excluded.offset`,
    incarnation,
    replica,
    file,
    offset,
  )

/** All that it logged before `now_ms` has been read: its file was at its end after that moment. */
export const engineReadTo = (store: Store, incarnation: string, now_ms: number): void =>
  void run(
    store.database,
    'update engine_log set read_to_ms = max(read_to_ms, ?) where incarnation = ?',
    now_ms,
    incarnation,
  )

function bookLines(store: Store, incarnation: string, replica: ReplicaId, lines: readonly EngineLogLine[]): void {
  const { attempts, seconds } = workOfLines(lines)
  for (const one of attempts.values()) saveAttempt(store, incarnation, replica, one)
  for (const { second, attempt, tokens } of seconds.values()) run(store.database, addSecond, second, attempt, tokens)
}

/** Counts of a step are added, those of an end replace them: the engine's last word is its count. */
const upsertAttempt = `
  insert into engine_attempt
    (id, request, gateway, incarnation, replica, model, input_uncached, cache_read, output, last_ms, final)
  values (?1, ?2, ?12, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
  on conflict (id) do update set
    model = case when model = '' then excluded.model else model end,
    input_uncached = case when excluded.final = 1 or ?11 = 1 then excluded.input_uncached else input_uncached end,
    cache_read = case when excluded.final = 1 or ?11 = 1 then excluded.cache_read else cache_read end,
    output = case when excluded.final = 1 then excluded.output else output + excluded.output end,
    last_ms = max(last_ms, excluded.last_ms),
    final = excluded.final
  where final = 0 and incarnation = excluded.incarnation`

type Heard = ReturnType<typeof workOfLines>['attempts'] extends Map<string, infer One> ? One : never

const saveAttempt = (store: Store, incarnation: string, replica: ReplicaId, heard: Heard): void =>
  void run(
    store.database,
    upsertAttempt,
    heard.attempt,
    heard.request,
    incarnation,
    replica,
    heard.model,
    heard.input_uncached,
    heard.cache_read,
    heard.output,
    heard.last_ms,
    heard.final ? 1 : 0,
    heard.begun ? 1 : 0,
    gatewayOf(heard.request),
  )

const addSecond = `
  insert into engine_second (second, attempt, tokens) values (?, ?, ?)
  on conflict (second, attempt) do update set tokens = tokens + excluded.tokens`

/** A dead engine's log was read to its end: what it had not finished will not change any more. */
export function finishEngine(store: Store, incarnation: string): void {
  store.transaction(() => {
    run(store.database, 'update engine_attempt set final = 1 where incarnation = ? and final = 0', incarnation)
    run(store.database, 'update engine_log set dead = 1 where incarnation = ?', incarnation)
  })
}

/** Up to when every living engine's log has been read; infinity when none lives. */
export function enginesReadTo(store: Store): number {
  const row = one<{ read: number | null }>(
    store.database,
    'select min(read_to_ms) as read from engine_log where dead = 0',
  )
  return row?.read ?? Number.POSITIVE_INFINITY
}

interface AttemptRow {
  readonly id: string
  readonly replica: string
  readonly model: string
  readonly input_uncached: number
  readonly cache_read: number
  readonly output: number
  readonly last_ms: number
  readonly final: number
}

export const workOf = (row: AttemptRow): EngineWork => ({
  attempt: row.id as AttemptId,
  replica: row.replica as ReplicaId,
  model: row.model,
  input_uncached: row.input_uncached,
  cache_read: row.cache_read,
  output: row.output,
  last_ms: row.last_ms,
  final: row.final === 1,
})

/** What the engines logged for one request, attempt by attempt. */
export const worksOf = (store: Pick<Store, 'database'>, request: string): EngineWork[] =>
  all<AttemptRow>(store.database, 'select * from engine_attempt where request = ? order by id', request).map(workOf)
