import type { Account, Balances, Transfer } from '../../books/account.ts'
import { accounts, apply, balanceKey, ledgerUnits } from '../../books/account.ts'
import { auditInterval, auditRequest, Findings } from '../../books/check.ts'
import type { MemoryBooks } from '../../books/memory.ts'
import { residual } from '../../books/memory.ts'
import { partsOf } from '../../books/post.ts'
import { priceAt } from '../../books/price.ts'
import { isBilled, siteOf } from '../../books/row.ts'
import { outputTokens, totalTokens } from '../../books/usage.ts'
import { workOfLines } from '../../books/work.ts'
import type { ApplicationId, ReplicaId, RequestId, TenantId } from '../../units/ids.ts'
import { id, requestOf } from '../../units/ids.ts'
import type { Factory } from './factory.ts'
import { budget, prices, tokensPerMinute } from './factory.ts'
import type { Client } from './gateway.ts'
import type { ClientPlan } from './plan.ts'
import type { Watch } from './watch.ts'

/** What holds at every moment, whoever has just died. */
export function alwaysHolds(factory: Factory, watch: Watch): void {
  const { books } = factory
  for (const unit of ledgerUnits) {
    const sum = residual(books.balances, unit)
    if (sum !== 0n) watch.breaks(`${unit} sums to ${sum} over all accounts`)
  }
  budgetHolds(factory, watch)
}

/** What a tenant was charged, before anything came back, is within its budget, whoever died on the way. */
function budgetHolds({ books }: Factory, watch: Watch): void {
  const whose = [id<TenantId>(budget.of), id<ApplicationId>('app')] as const
  const held = (account: Account): bigint => books.balances.get(balanceKey('nano-USD', account)) ?? 0n
  const spent = -held(accounts.tenant(...whose)) - held(accounts.refund(...whose))
  if (spent > budget.amount) watch.breaks(`${budget.of} was charged ${spent} of ${budget.amount} nano-USD`)
}

/** What holds once the faults are over and everything has come to rest. */
export function holdsAtRest(factory: Factory, watch: Watch): void {
  const { books } = factory
  const broken = (law: string): void => watch.breaks(law)
  const { open, unreconciled } = books.pending
  if (open + unreconciled > 0)
    broken(`never came to rest: ${open} requests open, ${unreconciled} attempts not reconciled`)
  for (const { interval, posted_ms } of books.intervals)
    if (posted_ms === null && interval.to_ms < factory.settledTo_ms)
      broken(`interval ${interval.sequence} was never attributed`)
  for (const { source, subject, reason, body } of books.asides.values())
    if (reason !== 'unreadable') broken(`put aside: ${reason} of ${subject} from ${source}: ${body.slice(0, 200)}`)
  auditBooks(books, broken)
  pricedWhereAnswered(books, broken)
  const metered_mj = books.intervals.reduce((sum, { interval }) => sum + interval.energy, 0n)
  if (metered_mj > BigInt(Math.ceil(factory.drawn_mj)))
    broken(`${metered_mj} mJ are metered, ${factory.drawn_mj} were drawn`)
  engineTokens(factory, broken)
  for (const client of factory.clients) clientLaws(client, factory, broken)
  journaledIsSettled(factory, broken)
  for (const gateway of factory.everyGateway) {
    if (!gateway.life.alive || gateway.running.size > 0) continue
    for (const replica of ['own-0', 'own-1', 'hosted'])
      if (gateway.policy.router.load(replica as ReplicaId).running !== 0)
        broken(`${gateway.incarnation} counts load on ${replica} though nothing runs`)
  }
}

/** What was billed has the price of the site that answered it, whatever was tried before. */
function pricedWhereAnswered({ settled }: MemoryBooks, broken: (law: string) => void): void {
  for (const { row } of settled.values()) {
    if (!isBilled(row.outcome)) continue
    const due = priceAt(prices, { model: row.model, site: siteOf(row) }, row.at_ms)?.version
    if (row.price_version !== due) broken(`${row.id} was answered at ${siteOf(row)} and has price ${row.price_version}`)
  }
}

/** Everything worked out again: transfers from rows, balances from transfers, energy from intervals. */
function auditBooks(books: MemoryBooks, broken: (law: string) => void): void {
  const findings = new Findings()
  const balances: Balances = new Map()
  const of = new Map<string, Transfer[]>()
  for (const transfer of books.transfers.values()) {
    apply(balances, transfer)
    const key = transfer.unit === 'mJ' ? transfer.id.split('/').slice(0, 2).join('/') : (transfer.request ?? '')
    const mine = of.get(key)
    if (mine) mine.push(transfer)
    else of.set(key, [transfer])
  }
  for (const [key, amount] of balances)
    if (books.balances.get(key) !== amount) broken(`balance of ${key} is not the sum of its transfers`)
  for (const { row } of books.settled.values())
    auditRequest(findings, {
      row,
      price: row.price_version === null ? undefined : books.prices.get(row.price_version),
      works: books.worksOf(row.id).filter((work) => work.reconciled),
      transfers: of.get(row.id) ?? [],
      isPutAside: () => false,
    })
  for (const { interval, posted_ms, fit, modelled_mj } of books.intervals) {
    const name = `${interval.meter}/${interval.sequence}`
    const slices = books.sliced.get(name) ?? []
    const how = { seen: books.seenIn(interval), slices, fits: books.fits, fit, modelled_mj }
    auditInterval(findings, interval, posted_ms === null ? undefined : how, of.get(name) ?? [])
  }
  if (findings.first) broken(`audit: ${JSON.stringify(findings.first)} and ${findings.broken - 1} more`)
}

/** Made = served + wasted, token by token, as the engines' own logs have it. */
function engineTokens({ disk, books }: Factory, broken: (law: string) => void): void {
  const made = new Map<ReplicaId, bigint>()
  for (const { replica, lines } of disk.logs.values()) {
    let sum = 0
    for (const line of lines) {
      if (line?.log === 'begin') sum += line.input_uncached + line.cache_read
      if (line?.log === 'step') for (const [, decode] of line.made) sum += decode
    }
    made.set(replica, (made.get(replica) ?? 0n) + BigInt(sum))
  }
  for (const [replica, count] of made) {
    const booked = -(books.balances.get(balanceKey('token', accounts.engine(replica))) ?? 0n)
    if (booked !== count) broken(`${replica} made ${count} tokens, ${booked} are booked`)
  }
}

function clientLaws(client: Client, factory: Factory, broken: (law: string) => void): void {
  const { books } = factory
  const { request, plan, ending, received } = client
  if (!request) return
  const settled = books.settled.get(request)?.row
  const whole = ending?.kind === 'settled' && ending.outcome === 'complete' && !client.gone
  // Without a journal nothing left but an error; if the gateway then dies, nobody knows of the request, and nobody pays.
  const unknown = ending?.kind === 'settled' && ending.outcome === 'journal_unavailable' && received === 0
  if (ending?.kind === 'settled' && !settled && !unknown)
    broken(`${request} ended for its client and is not in the books`)
  if (ending?.kind === 'refused' && settled) broken(`${request} was refused and is in the books`)
  if (ending?.kind === 'refused' && ending.refusal.code === 'tokens_per_minute') unjustRefusal(client, factory, broken)
  if (!settled) return
  const last = settled.attempts.at(-1)
  const output = last
    ? partsOf(settled, last, true).reduce((sum, part) => sum + (part.cause ? 0 : outputTokens(part.usage)), 0)
    : 0
  // An upstream tells its prompt only at the end: what a budget has no room for then has been received already.
  const late = settled.outcome === 'complete' && last?.unbilled !== undefined
  if (isBilled(settled.outcome) && !late && received > output)
    broken(`client of ${request} received ${received} tokens, ${output} are billed`)
  if (!whole) return
  if (settled.outcome !== 'complete') broken(`${request} was whole for its client and is booked as ${settled.outcome}`)
  if (received !== plan.output) broken(`client of ${request} has ${received} of ${plan.output} tokens, told as whole`)
  const truth = truthOf(plan, last?.replica === 'hosted')
  for (const [tokenClass, should] of Object.entries(truth)) {
    const is = last?.usage[tokenClass as keyof typeof truth]?.tokens
    if (is !== should) broken(`${tokenClass} of ${request} is ${is}, should be ${should} (${plan.shape})`)
  }
}

/** What the engine did for an answer that was whole. An upstream that tells no usage leaves the prompt to an estimate. */
function truthOf({ prompt, cached, output, shape }: ClientPlan, hosted: boolean) {
  const told = hosted && shape === 'explicit zero' ? 0 : hosted && shape === 'no usage' ? 0 : cached
  return { input_uncached: prompt - told, output_visible: output }
}

/** What may be reserved for an answer whose length nobody knows yet. */
const mostReserved = 310

/** A key is refused for what it used and may be using, not for what was reserved once and never given back. */
function unjustRefusal(
  client: Client,
  { clients, gateways, everyGateway, books }: Factory,
  broken: (law: string) => void,
): void {
  const { request, plan } = client
  const mine = clients.filter(
    (one) =>
      one !== client &&
      one.plan.tenant === plan.tenant &&
      one.request !== undefined &&
      request !== undefined &&
      one.came_ms <= client.came_ms,
  )
  const used = mine.reduce((sum, one) => {
    const row = one.request && books.settled.get(one.request)?.row
    const over = one.ended_ms !== undefined && one.ended_ms <= client.came_ms
    if (over) return sum + (row?.attempts.reduce((all, { usage }) => all + totalTokens(usage), 0) ?? 0)
    return sum + one.plan.prompt + Math.max(one.plan.output, mostReserved)
  }, 0)
  const needs = plan.prompt + mostReserved
  // What a dead gateway had of a rate comes back only with the minute.
  const killed = everyGateway.some(({ life }) => !life.alive)
  const limit = tokensPerMinute / gateways.length
  if (!killed && used + needs <= limit)
    broken(`${request} was refused: ${used} used + ${needs} needed of ${limit} tokens a minute`)
}

/** Every request of which a row is durable is settled once; nothing else is. */
function journaledIsSettled({ disk, books }: Factory, broken: (law: string) => void): void {
  const known = new Set<RequestId>()
  for (const { rows } of disk.journals.values()) for (const { row } of rows) if (row) known.add(row.id)
  for (const { lines } of disk.logs.values())
    for (const name of workOfLines(lines.filter((line) => line !== undefined)).attempts.values())
      known.add(requestOf(name.attempt))
  for (const request of known) if (!books.settled.has(request)) broken(`${request} is journaled and not settled`)
  for (const request of books.settled.keys()) if (!known.has(request)) broken(`${request} is settled from nothing`)
}
