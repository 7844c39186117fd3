/** What was noticed, and whom it has reached. A notice and what decided it are one transaction, and so is an attempt and its outcome. */
import type { Notice, NoticeType } from '../../books/notice.ts'
import { retryAfter_ms } from '../../books/notice.ts'
import { newId } from '../random/secret.ts'
import { all, one, run } from './query.ts'
import { listWebhooks } from './registry/webhooks.ts'
import type { Store } from './store.ts'

/** A receiver that is away for days is owed this many at most; older ones are given up for it, and stay in the list. */
const mostOwed = 1000
/** Kept to be looked at. */
const kept_ms = 90 * 86_400_000

/** Notes it once: the same `what` again does nothing. Undefined: it was noted already. */
export function notice(
  store: Store,
  what: string,
  type: NoticeType,
  data: Notice['data'],
  now_ms: number,
): Notice | undefined {
  return store.transaction(() => {
    const first = run(
      store.database,
      'insert into noticed (what, at_ms) values (?, ?) on conflict do nothing',
      what,
      now_ms,
    )
    if (first === 0) return undefined
    const made: Notice = { id: newId('ntc'), type, at_ms: now_ms, data }
    run(
      store.database,
      'insert into notice (id, type, at_ms, body) values (?, ?, ?, ?)',
      made.id,
      type,
      now_ms,
      JSON.stringify(data),
    )
    for (const { name, types } of listWebhooks(store))
      if (types.length === 0 || types.includes(type)) owe(store, made, name)
    return made
  })
}

/** To one receiver, whatever it wants to hear of: to see whether it hears at all. */
export function testNotice(store: Store, webhook: string, now_ms: number): Notice {
  const made: Notice = { id: newId('ntc'), type: 'webhook.test', at_ms: now_ms, data: { webhook } }
  store.transaction(() => {
    const body = JSON.stringify(made.data)
    run(
      store.database,
      'insert into notice (id, type, at_ms, body) values (?, ?, ?, ?)',
      made.id,
      made.type,
      now_ms,
      body,
    )
    owe(store, made, webhook)
  })
  return made
}

function owe({ database }: Store, { id, at_ms }: Notice, webhook: string): void {
  const insert = 'insert into notice_delivery (notice, webhook, attempts, next_ms) values (?, ?, 0, ?)'
  run(database, insert, id, webhook, at_ms)
  const giveUp = `
    update notice_delivery set next_ms = null, trouble = 'more than ${mostOwed} were owed'
    where webhook = ? and next_ms is not null and notice not in (
      select notice from notice_delivery where webhook = ? and next_ms is not null order by notice_delivery.next_ms desc limit ${mostOwed})`
  run(database, giveUp, webhook, webhook)
}

export interface Due {
  readonly notice: Notice
  readonly webhook: string
  readonly attempts: number
}

interface DueRow extends Pick<Notice, 'id' | 'type' | 'at_ms'> {
  readonly body: string
  readonly webhook: string
  readonly attempts: number
}

/** Those whose time has come, oldest first. */
export const dueNotices = ({ database }: Store, now_ms: number, limit: number): Due[] =>
  all<DueRow>(
    database,
    `select n.id, n.type, n.at_ms, n.body, d.webhook, d.attempts from notice_delivery d join notice n on n.id = d.notice
     where d.next_ms <= ? order by d.next_ms, n.at_ms limit ?`,
    now_ms,
    limit,
  ).map(({ webhook, attempts, body, ...row }) => ({ notice: { ...row, data: JSON.parse(body) }, webhook, attempts }))

/** `why` undefined: it was delivered. `gone`: it is not tried again. */
export function tried(
  store: Store,
  { notice: of, webhook, attempts }: Due,
  now_ms: number,
  why?: string,
  gone = false,
): void {
  const wait_ms = why === undefined || gone ? undefined : retryAfter_ms(attempts + 1)
  run(
    store.database,
    `update notice_delivery set attempts = ?, next_ms = ?, delivered_ms = ?, trouble = ? where notice = ? and webhook = ?`,
    attempts + 1,
    wait_ms === undefined ? null : now_ms + wait_ms,
    why === undefined ? now_ms : null,
    why ?? null,
    of.id,
    webhook,
  )
}

/** To all that have not got it, from the beginning; how many these are. */
export const retryNotice = ({ database }: Store, id: string, now_ms: number): number =>
  run(
    database,
    'update notice_delivery set attempts = 0, next_ms = ? where notice = ? and delivered_ms is null',
    now_ms,
    id,
  )

export interface NoticeLine {
  readonly notice: Notice
  readonly deliveries: readonly {
    readonly webhook: string
    readonly attempts: number
    readonly next_ms: number | null
    readonly delivered_ms: number | null
    readonly trouble: string | null
  }[]
}

/** Newest first. */
export const listNotices = ({ database }: Store, limit: number): NoticeLine[] =>
  all<Omit<DueRow, 'webhook' | 'attempts'>>(
    database,
    'select id, type, at_ms, body from notice order by at_ms desc, id limit ?',
    limit,
  ).map(({ body, ...row }) => ({
    notice: { ...row, data: JSON.parse(body) },
    deliveries: all(
      database,
      'select webhook, attempts, next_ms, delivered_ms, trouble from notice_delivery where notice = ? order by webhook',
      row.id,
    ),
  }))

/** Deliveries that were given up and nobody has looked at since. */
export const undelivered = ({ database }: Pick<Store, 'database'>): number =>
  one<{ n: number }>(
    database,
    'select count(*) as n from notice_delivery where next_ms is null and delivered_ms is null',
  )?.n ?? 0

export function tidyNotices(store: Store, now_ms: number): void {
  store.transaction(() => {
    run(store.database, 'delete from notice where at_ms < ?', now_ms - kept_ms)
    run(store.database, 'delete from noticed where at_ms < ?', now_ms - 5 * kept_ms)
  })
}
