/** Who worked in an interval: by the steps that engines logged, or as rebuilt from how answers came. */
import type { Account } from '../../books/account.ts'
import type { Kinds } from '../../books/counted.ts'
import type { CloseRow } from '../../books/row.ts'
import type { Seen } from '../../books/seen.ts'
import { firstSecond } from '../../books/seen.ts'
import type { ForeignTokens } from '../../books/window-work.ts'
import { windowWork } from '../../books/window-work.ts'
import type { MeterInterval } from '../../plant/energy/meter.ts'
import type { StepWork } from '../../plant/energy/step-energy.ts'
import type { AttemptId, ReplicaId } from '../../units/ids.ts'
import { requestOf } from '../../units/ids.ts'
import { all, one, run } from './query.ts'
import type { Store } from './store.ts'

type Reader = Pick<Store, 'database'>

interface SeenRow extends StepWork {
  readonly attempt: AttemptId
  readonly replica: ReplicaId
  readonly model: string
  readonly tokens: number
  readonly cpu_us: number
  readonly body: string | null
  readonly bearer: Account | null
}

const seenOf = ({ attempt, replica, model, tokens, cpu_us, body, bearer, ...did }: SeenRow): Seen => ({
  attempt,
  replica,
  model,
  tokens,
  did,
  cpu_us,
  row: body === null ? undefined : (JSON.parse(body) as CloseRow),
  ...(bearer !== null && { bearer }),
})

const inSeconds = `
  select s.attempt, a.replica, a.model, sum(s.tokens) as tokens, sum(s.step_e9) as step_e9, sum(s.prefill) as prefill,
    sum(s.prefill_context) as prefill_context, sum(s.decode) as decode, sum(s.kv_read) as kv_read,
    sum(s.cpu_us) as cpu_us, r.body, a.bearer
  from engine_second s
  join engine_attempt a on a.id = s.attempt
  left join request r on r.id = a.request
  where s.second >= ? and s.second < ?
  group by s.attempt, a.id, r.id order by s.attempt`

/** By the logs of the engine inside. */
export const seenInSteps = ({ database }: Reader, { from_ms, to_ms }: MeterInterval): Seen[] =>
  all<SeenRow>(database, inSeconds, firstSecond(from_ms), firstSecond(to_ms)).map(seenOf)

const measured = `
  select distinct engine from engine_meter
  where meter = ? and from_ms < ? and (until_ms is null or until_ms > ?) order by engine`

/** The index is on the end of a request, so that what is long over is not looked at. */
const underWay = 'select body from request where closed_ms >= ? and at_ms < ? order by id'

/** Settled requests that were under way in a time. */
export const rowsUnderWay = ({ database }: Reader, from_ms: number, to_ms: number): CloseRow[] =>
  all<{ body: string }>(database, underWay, from_ms, to_ms).map(({ body }) => JSON.parse(body) as CloseRow)

const foreignIn = `
  select engine, from_ms, to_ms, foreign_prompt as prompt, foreign_output as output from engine_counted
  where engine = ? and to_ms > ? and from_ms < ? and foreign_prompt + foreign_output > 0 order by to_ms`

/** By the settled requests of the engines that the meter measured then, and what their counters show beyond these. */
export function seenInWindow(store: Reader, interval: MeterInterval): Seen[] {
  const { meter, from_ms, to_ms } = interval
  const engines = all<{ engine: ReplicaId }>(store.database, measured, meter, to_ms, from_ms).map(
    ({ engine }) => engine,
  )
  const foreign = engines.flatMap((engine) =>
    all<Omit<ForeignTokens, 'foreign'> & Kinds>(store.database, foreignIn, engine, from_ms, to_ms).map(
      ({ prompt, output, ...look }): ForeignTokens => ({ ...look, foreign: { prompt, output } }),
    ),
  )
  // A second belongs to the interval that its middle lies in: half a second of it may lie on either side.
  return windowWork(interval, engines, rowsUnderWay(store, from_ms - 1000, to_ms + 1000), foreign)
}

const kept = `
  select w.attempt, w.replica, w.model, w.tokens, w.step_e9, w.prefill, w.prefill_context, w.decode, w.kv_read,
    0 as cpu_us, r.body, w.bearer
  from window_work w left join request r on r.id = w.request
  where w.meter = ? and w.sequence = ? order by w.attempt`

/** What an attributed interval was divided by. */
export function seenIn(store: Reader, interval: MeterInterval): Seen[] {
  const beyond = one(store.database, 'select 1 from engine_meter where meter = ? limit 1', interval.meter)
  if (!beyond) return seenInSteps(store, interval)
  return all<SeenRow>(store.database, kept, interval.meter, interval.sequence).map(seenOf)
}

const keep = `
  insert into window_work
    (meter, sequence, attempt, request, replica, model, tokens, step_e9, prefill, prefill_context, decode, kv_read)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

export function insertWindowWork({ database }: Store, meter: string, sequence: number, seen: readonly Seen[]): void {
  for (const { attempt, replica, model, tokens, did } of seen)
    run(
      database,
      keep,
      meter,
      sequence,
      attempt,
      requestOf(attempt),
      replica,
      model,
      tokens,
      did.step_e9,
      did.prefill,
      did.prefill_context,
      did.decode,
      did.kv_read,
    )
}
