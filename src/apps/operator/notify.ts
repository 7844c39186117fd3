/** Looks whether there is something to tell, and tells it: again and again, and never in the way of anything else. */
import { secretOf } from '../../adapters/openai/secret.ts'
import { earnedIn, type NamedHour } from '../../adapters/sqlite/hourly.ts'
import { type Due, dueNotices, notice, tidyNotices, tried } from '../../adapters/sqlite/notices.ts'
import { findWebhook } from '../../adapters/sqlite/registry/webhooks.ts'
import { creditAllowances } from '../../adapters/sqlite/terms/credit-only.ts'
import { deliver, signed } from '../../adapters/webhook/send.ts'
import { periodOf } from '../../books/allowance.ts'
import { anomalyOf, peerDays } from '../../books/anomaly.ts'
import { hour_ms, hourOf } from '../../books/cost-hour.ts'
import { reached } from '../../books/notice.ts'
import { parted } from '../../books/tally.ts'
import type { Factory, Live } from './factory.ts'

const look_ms = 1000
/** Until gateways have said what they still hold, all that was leased to them looks used. */
const settled_ms = 10_000
/** At once: a receiver that hangs holds one of them for ten seconds. */
const atOnce = 8
const tidyEvery_ms = 3_600_000
const watchEvery_ms = 60_000

export interface Notifier {
  close(): Promise<void>
}

export function startNotifier(factory: Factory, live: Pick<Live, 'leases' | 'started_ms' | 'audit'>): Notifier {
  const { store, now, log } = factory
  let closed = false
  let [tidied, watched] = [0, 0]
  let turn: Promise<void> | undefined
  let trouble: string | undefined
  const once = async (): Promise<void> => {
    try {
      if (!store.leads()) return
      if (now() - live.started_ms >= settled_ms) noticeBudgets(factory, live)
      noticeBooks(factory, live)
      if (now() - watched >= watchEvery_ms) {
        watched = now()
        noticeAnomalies(factory)
      }
      await Promise.all(dueNotices(store, now(), atOnce).map((due) => send(factory, due)))
      if (now() - tidied >= tidyEvery_ms) {
        tidied = now()
        tidyNotices(store, now())
      }
      trouble = undefined
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      if (message !== trouble) log(`notices: ${message}`) // each second the same, while a database is away
      trouble = message
    }
  }
  const timer = setInterval(() => {
    if (closed || turn) return
    turn = once().finally(() => {
      turn = undefined
    })
  }, look_ms)
  return {
    async close() {
      closed = true
      clearInterval(timer)
      await turn
    },
  }
}

/** Shares of budgets that were reached. Each is told once a period. */
export function noticeBudgets({ store, now }: Factory, { leases }: Pick<Live, 'leases'>): void {
  const onCredit = new Set(creditAllowances(store).map(({ id }) => id))
  for (const [allowance, used] of leases.used(now()))
    for (const percent of reached(allowance, used)) {
      // Of credit only its end: half of all that was ever bought says nothing.
      if (percent < 100 && onCredit.has(allowance.id)) continue
      const { id, scope, of, unit, renews, amount } = allowance
      const what = `${id}@${periodOf(renews, now())}/${percent}/${amount}`
      const type = percent === 100 ? 'budget.exhausted' : 'budget.threshold'
      const data = { budget: id, scope, of, unit, renews, percent, used: used.toString(), amount: amount.toString() }
      notice(store, what, type, data, now())
    }
}

/** Late rows of an hour have come by then. */
const hourLate_ms = 5 * 60_000
/** A cent, and a hundredth of what the factory usually earns in the hour: less is nobody's concern. */
const leastAtRisk = { nano_usd: 10_000_000, ofFactory: 0.01 }

/** The last whole hour, of the factory and of whatever earns in it, against the same hour of the days before. */
export function noticeAnomalies({ store, now }: Pick<Factory, 'store' | 'now'>): void {
  const hour = hourOf(now() - hourLate_ms) - 1
  const hours = Array.from({ length: peerDays + 1 }, (_, day) => hour - 24 * day)
  const factory = byName(earnedIn(store, 'factory', hours), hours).get('')
  const least = Math.max(leastAtRisk.nano_usd, leastAtRisk.ofFactory * (factory ? Math.max(...factory) : 0))
  for (const dimension of ['factory', 'application', 'model', 'key'] as const)
    for (const [name, [last = 0, ...peers]] of byName(earnedIn(store, dimension, hours), hours)) {
      const found = anomalyOf(last, peers, least)
      if (!found) continue
      const usd = (nano: number): string => (nano / 1e9).toFixed(6)
      const data = {
        dimension,
        name: parted(name).join('/'),
        hour: new Date(hour * hour_ms).toISOString(),
        usd: usd(last),
        usual_usd: usd(found.usual),
        at_risk_usd: usd(Math.abs(found.more)),
        more: found.more > 0,
      }
      notice(store, `anomaly/${hour}/${dimension}/${name}`, 'spend.anomaly', data, now())
    }
}

/** Amounts of each name, the newest hour first. Days before anything was earned at all say nothing of what is usual. */
function byName(rows: readonly NamedHour[], hours: readonly number[]): Map<string, number[]> {
  const names = Map.groupBy(rows, ({ name }) => name)
  return new Map(
    [...names].map(([name, known]) => {
      const oldest = Math.min(...known.map(({ hour }) => hour))
      const amount = (hour: number): number => known.find((one) => one.hour === hour)?.nano_usd ?? 0
      return [name, hours.filter((hour, at) => at === 0 || hour >= oldest).map(amount)]
    }),
  )
}

/** What the last check of all the books found. */
function noticeBooks({ store, now }: Factory, { audit }: Pick<Live, 'audit'>): void {
  const { last } = audit
  if (!last || last.check.conserved) return
  const { first_broken, broken, lost, doubled } = last.check
  const first = first_broken ? `${first_broken.what} ${first_broken.id}: ${first_broken.why}` : ''
  const data = { broken, lost, doubled, first: first.slice(0, 500) }
  notice(store, `books/${first}`, 'books.broken', data, now())
}

async function send({ store, now, log }: Factory, due: Due): Promise<void> {
  const { url, secrets_from } = findWebhook(store, due.webhook)
  const secrets = secrets_from.flatMap((reference) => secretOf(reference) ?? [])
  if (secrets.length === 0) return tried(store, due, now(), `none of ${secrets_from.join(', ')} holds a secret`)
  const sent = await deliver(url, signed(due.notice, secrets, now()))
  if (sent.delivered) return tried(store, due, now())
  if (due.attempts === 0) log(`notices: webhook ${due.webhook} did not take ${due.notice.type}: ${sent.why}`)
  tried(store, due, now(), sent.why, sent.gone)
}
