/** What engines did in closed hours and for whom, kept for good: utilisation is asked for long after requests are rolled up. */
import type { Findings } from '../../../books/check.ts'
import type { BusySeconds, HourWork, WorkShare } from '../../../books/work-hour.ts'
import { shareName } from '../../../books/work-hour.ts'
import type { StepWork } from '../../../plant/energy/step-energy.ts'
import { insertMany } from '../insert-many.ts'
import { all, allBig, run } from '../query.ts'
import type { Store } from '../store.ts'

type Reader = Pick<Store, 'database'>

const shareRows = {
  table: 'work_hour',
  columns: {
    hour: 'integer',
    replica: 'text',
    tenant: 'text',
    application: 'text',
    model: 'text',
    cause: 'text',
    held_ns: 'integer',
    step_e9: 'integer',
    prefill: 'integer',
    prefill_context: 'integer',
    decode: 'integer',
    kv_read: 'integer',
    kv_token_ms: 'integer',
  },
} as const

/** Within the transaction that posts the hour. */
export function keepWork({ database }: Store, hour: number, { shares, busy }: HourWork): void {
  run(database, 'delete from work_hour where hour = ?', hour)
  run(database, 'delete from busy_hour where hour = ?', hour)
  const rows = shares.map(({ replica, tenant, application, model, cause, held_ns, did, kv_token_ms }) => [
    hour,
    replica,
    tenant,
    application,
    model,
    cause,
    held_ns,
    did.step_e9,
    did.prefill,
    did.prefill_context,
    did.decode,
    did.kv_read,
    kv_token_ms,
  ])
  insertMany(database, shareRows, rows)
  for (const { replica, busy_s, all_s } of busy)
    run(
      database,
      'insert into busy_hour (hour, replica, busy_s, all_s) values (?, ?, ?, ?)',
      hour,
      replica,
      busy_s,
      all_s,
    )
}

type ShareRow = Omit<WorkShare, 'did'> & Record<keyof StepWork, bigint>

const columns = `replica, tenant, application, model, cause, sum(held_ns) as held_ns, sum(step_e9) as step_e9,
  sum(prefill) as prefill, sum(prefill_context) as prefill_context, sum(decode) as decode, sum(kv_read) as kv_read,
  sum(kv_token_ms) as kv_token_ms`

/** Hours [from, to), added up. */
export function workIn({ database }: Reader, from: number, to: number): HourWork {
  const rows = allBig<ShareRow>(
    database,
    `select ${columns} from work_hour where hour >= ? and hour < ?
     group by replica, tenant, application, model, cause order by replica, tenant, application, model, cause`,
    from,
    to,
  )
  const shares = rows.map(({ step_e9, prefill, prefill_context, decode, kv_read, held_ns, kv_token_ms, ...whose }) => ({
    ...whose,
    held_ns: BigInt(held_ns),
    kv_token_ms: BigInt(kv_token_ms),
    did: {
      step_e9: Number(step_e9),
      prefill: Number(prefill),
      prefill_context: Number(prefill_context),
      decode: Number(decode),
      kv_read: Number(kv_read),
    },
  }))
  const busy = all<BusySeconds>(
    database,
    `select replica, sum(busy_s) as busy_s, sum(all_s) as all_s from busy_hour where hour >= ? and hour < ?
     group by replica order by replica`,
    from,
    to,
  ).map(({ replica, busy_s, all_s }) => ({ replica, busy_s: Number(busy_s), all_s: Number(all_s) }))
  return { shares, busy }
}

/** What was kept of an hour is what its requests and logs say now. */
export function checkWork(books: Reader, findings: Findings, hour: number, should: HourWork): void {
  const is = workIn(books, hour, hour + 1)
  const text = ({ shares, busy }: HourWork): string[] => [
    ...shares.map(
      (one) => `${shareName(one)} held ${one.held_ns} ns, kept ${one.kv_token_ms} token ms, did ${workText(one.did)}`,
    ),
    ...busy.map(({ replica, busy_s, all_s }) => `${replica} worked ${busy_s} of ${all_s} s`).sort(),
  ]
  const [kept, due] = [text(is), text(should)]
  const differs = kept.find((line, at) => line !== due[at]) ?? due[kept.length]
  if (differs !== undefined) findings.add('hour', `${hour}/work`, `${differs} is not what its requests and logs say`)
}

const workText = (did: StepWork): string =>
  [did.step_e9, did.prefill, did.prefill_context, did.decode, did.kv_read].join(' ')
