/**
 * The audit of the books by the books: everything that follows from something else is worked out again and compared.
 *
 *     request rows, prices, engine work → transfers    intervals, seconds → energy transfers    transfers → balances
 *     raw meter samples → intervals                    every row → its hash
 */
import { accounts, type LedgerUnit } from '../../books/account.ts'
import { postForeign } from '../../books/bearer.ts'
import type { AttributedInterval, Check } from '../../books/check.ts'
import { auditInterval, auditRequest, Derived, Findings, isLedgerUnit } from '../../books/check.ts'
import type { Kinds } from '../../books/counted.ts'
import type { StepFit } from '../../books/fit.ts'
import { postCounted } from '../../books/foreign.ts'
import { auditRolled } from '../../books/rollup.ts'
import type { CloseRow } from '../../books/row.ts'
import type { EngineWork } from '../../books/settle.ts'
import type { SliceShare } from '../../books/slices.ts'
import { StatementSums } from '../../books/statement-sums.ts'
import { interval } from '../../plant/energy/meter.ts'
import { watts } from '../../units/quantity.ts'
import type { Books } from './books.ts'
import { transferOf } from './books.ts'
import { checkLevels, isRest } from './check-levels.ts'
import { checkCosts } from './costs/audit.ts'
import { checkPnlSums } from './costs/pnl-sums.ts'
import type { AttemptRow } from './engine-log.ts'
import { attemptOf } from './engine-log.ts'
import type { IntervalRow } from './intervals.ts'
import { intervalOf } from './intervals.ts'
import { hashOf } from './journal-file.ts'
import { storeLag } from './lag.ts'
import type { StoredTransfer } from './ledger.ts'
import { count, namedUnder } from './ledger.ts'
import { Prices } from './price-of.ts'
import { all, allBig, one, stream, streamPlain } from './query.ts'
import { rolledIntervals, rolledTransfers, rolledUp } from './rolled.ts'
import { readSamples } from './sample-file.ts'
import { seenIn } from './seen.ts'
import { summedParts } from './statement-sums.ts'
import { checkStatementSums } from './statement-sums-check.ts'
import { fitsIn } from './step-fits.ts'
import { checkTerms } from './terms/audit.ts'
import { upperMeters } from './upper.ts'

export function check(books: Books): Check {
  const { database } = books
  const findings = new Findings()
  const statements = new StatementSums(86_400_000)
  const { requests, engine } = checkRequests(books, findings, statements)
  checkOpen(books, findings)
  checkWithoutRequest(books, findings)
  const intervals = checkIntervals(books, findings)
  const levels = checkLevels(books, findings)
  checkSamples(books, findings)
  checkCosts(books, findings)
  checkPnlSums(books, findings)
  checkTerms(books, findings)
  const units = checkBalances(books, findings)
  const rolled = rolledUp(books)
  auditRolled(findings, {
    transfers: rolledTransfers(books),
    parts: summedParts(books, 'day'),
    intervals: rolledIntervals(books),
  })
  checkStatementSums(books, findings, statements)
  const gaps = count(database, 'select count(*) as n from journal where gap_at is not null')
  const lost = findings.lost + gaps
  return {
    conserved: findings.broken === 0 && lost === 0 && findings.doubled === 0,
    units,
    engine,
    lost,
    doubled: findings.doubled,
    requests: requests + rolled.requests,
    open: count(database, 'select count(*) as n from open_request'),
    quarantined: count(database, 'select count(*) as n from quarantine'),
    intervals: intervals + rolled.intervals,
    levels,
    rolled_up: rolled,
    lag: storeLag(books),
    broken: findings.broken,
    ...(findings.first ? { first_broken: findings.first } : {}),
  }
}

interface RequestRow {
  readonly id: string
  readonly tenant: string
  readonly application: string
  readonly api_key: string
  readonly model: string
  readonly price_version: number | null
  readonly outcome: string
  readonly at_ms: number
  readonly closed_ms: number
  readonly body: string
  readonly hash: string
}

function checkRequests(
  books: Books,
  findings: Findings,
  statements: StatementSums,
): { requests: number; engine: Check['engine'] } {
  const prices = new Prices(books.database)
  let requests = 0
  let attempts = 0
  let residual = 0n
  for (const stored of streamPlain<RequestRow>(books.database, 'select * from request order by id')) {
    requests++
    if (hashOf(stored.body) !== stored.hash) {
      findings.add('request', stored.id, 'its body is not what was journaled')
      continue
    }
    const row = JSON.parse(stored.body) as CloseRow
    if (!columnsMatch(stored, row)) findings.add('request', stored.id, 'its columns are not those of its body')
    const price = prices.of(row.price_version ?? 0)
    statements.add(row, price)
    const works = reconciledWorks(books, row.id)
    attempts += works.length
    residual += auditRequest(findings, {
      row,
      works,
      price,
      transfers: transfersOf(books, row.id),
      isPutAside: (attempt) => isPutAside(books, attempt),
    })
  }
  return { requests, engine: { attempts, residual: residual.toString() } }
}

const columnsMatch = (stored: RequestRow, row: CloseRow): boolean =>
  stored.id === row.id &&
  stored.tenant === row.tenant &&
  stored.application === row.application &&
  stored.api_key === row.key &&
  stored.model === row.model &&
  stored.price_version === row.price_version &&
  stored.outcome === row.outcome &&
  stored.at_ms === row.at_ms &&
  stored.closed_ms === row.closed_ms

const reconciledWorks = (books: Books, request: string): EngineWork[] =>
  all<AttemptRow>(
    books.database,
    'select * from engine_attempt where request = ? and reconciled = 1 order by id',
    request,
  ).map(attemptOf)

const transfersOf = (books: Books, request: string) => namedUnder(books.database, request).map(transferOf)

const isPutAside = (books: Books, subject: string): boolean =>
  one(books.database, "select id from quarantine where subject = ? and reason = 'log_below_row'", subject) !== undefined

function checkOpen({ database }: Books, findings: Findings): void {
  for (const { id, body, hash } of streamPlain<Pick<RequestRow, 'id' | 'body' | 'hash'>>(
    database,
    'select id, body, hash from open_request order by id',
  ))
    if (hashOf(body) !== hash) findings.add('open_request', id, 'its body is not what was journaled')
}

const foreignWork = `
  select * from engine_attempt a
  where a.reconciled = 1 and a.bearer is null
    and not exists (select 1 from request r where r.id = a.request) order by a.id`

const foreignCounted = `
  select engine, to_ms, foreign_prompt as prompt, foreign_output as output from engine_counted
  where foreign_prompt + foreign_output > 0`

const withoutRequest = `
  select * from transfer t
  where t.unit <> 'mJ' and not (t.id >= 'cost/' and t.id < 'cost0') and not (t.id >= 'terms/' and t.id < 'terms0') and (t.request is null or not exists (select 1 from request r where r.id = t.request))
  order by t.id`

/** Only foreign work is booked without a request. */
function checkWithoutRequest({ database }: Books, findings: Findings): void {
  const logged = [...streamPlain<AttemptRow>(database, foreignWork)].flatMap((row) => postForeign(attemptOf(row)))
  const counted = [...streamPlain<Parameters<typeof postCounted>[0] & Kinds>(database, foreignCounted)].flatMap(
    (look) => postCounted(look, look),
  )
  const expected = [...logged, ...counted]
  findings.compare(expected, [...stream<StoredTransfer>(database, withoutRequest)].map(transferOf))
  const unnamed = one<{ attempt: string }>(
    database,
    'select attempt from engine_second where attempt not in (select id from engine_attempt) limit 1',
  )
  if (unnamed) findings.add('engine_second', unnamed.attempt, 'its attempt is missing')
}

function checkIntervals(books: Books, findings: Findings): number {
  const { database } = books
  let posted = 0
  let explained = 0
  let before: IntervalRow | undefined
  const fits = fitsIn(books)
  const uppers = upperMeters(books)
  for (const row of stream<IntervalRow>(database, 'select * from meter_interval order by meter, sequence')) {
    const follows = before?.meter === row.meter && before.sequence + 1n === row.sequence
    if (follows && before?.to_ms !== row.from_ms) findings.add('interval', nameOf(row), 'begins where none ended')
    before = row
    const transfers = energyOf(books, row)
    explained += transfers.length
    const interval = intervalOf(row)
    if (row.posted_ms !== null) posted++
    if (uppers.has(row.meter) && isRest(books, row.meter, row.sequence)) {
      const sum = transfers.reduce((total, { amount }) => total + amount, 0n)
      if (sum !== interval.energy)
        findings.add('interval', nameOf(row), `rest of ${interval.energy} mJ, ${sum} mJ are booked`)
    } else auditInterval(findings, interval, row.posted_ms === null ? undefined : howOf(books, row, fits), transfers)
  }
  const energy = count(database, "select count(*) as n from transfer where unit = 'mJ'")
  if (energy !== explained) findings.compare([], strayEnergy(books))
  return posted
}

const howOf = (books: Books, row: IntervalRow, fits: readonly StepFit[]): AttributedInterval => ({
  seen: seenIn(books, intervalOf(row)),
  slices: row.slices === null ? [] : (JSON.parse(row.slices) as SliceShare[]),
  fits,
  fit: row.fit === null ? null : Number(row.fit),
  modelled_mj: row.modelled_mj,
})

const nameOf = ({ meter, sequence }: Pick<IntervalRow, 'meter' | 'sequence'>): string => `${meter}/${sequence}`

const energyOf = (books: Books, row: IntervalRow) => namedUnder(books.database, nameOf(row)).map(transferOf)

function strayEnergy({ database }: Books) {
  const named = (id: string): boolean => {
    const [meter = '', sequence = ''] = id.split('/')
    const found = one(
      database,
      'select 1 from meter_interval where meter = ? and sequence = ?',
      meter,
      Number(sequence),
    )
    return found !== undefined
  }
  const energy = stream<StoredTransfer>(database, "select * from transfer where unit = 'mJ'")
  return [...energy].map(transferOf).filter(({ id, from }) => !named(id) || !from.startsWith(accounts.meter('')))
}

/** Every interval whose two samples are still in the meter's file is what these say. The idle floor is a setting, not read. */
function checkSamples({ home, database }: Books, findings: Findings): void {
  const meters = 'select distinct meter from meter_interval union select distinct meter from upper_interval'
  for (const { meter } of all<{ meter: string }>(database, meters)) {
    let before: Parameters<typeof interval>[0] | undefined
    for (const after of readSamples(home.meters, meter)) {
      const row = sampled(database, meter, after.sequence)
      if (row && before && after.sequence === before.sequence + 1) {
        const should = interval(before, after, watts(0))
        const same =
          row.energy_mj === should.energy &&
          row.from_ms === BigInt(should.from_ms) &&
          row.to_ms === BigInt(should.to_ms) &&
          row.grade === should.grade &&
          row.reset === (should.reset ? 1n : 0n) &&
          (row.instances === undefined ||
            row.instances === (should.instances ? JSON.stringify(should.instances) : null))
        if (!same) findings.add('interval', nameOf(row), "is not what the meter's samples say")
      }
      before = after
    }
  }
}

type SampledRow = Pick<IntervalRow, 'meter' | 'sequence' | 'from_ms' | 'to_ms' | 'energy_mj' | 'grade' | 'reset'> &
  Partial<Pick<IntervalRow, 'instances'>>

/** What an upper meter showed, and not what of it is booked. */
const sampled = (database: Books['database'], meter: string, sequence: number): SampledRow | undefined =>
  (['upper_interval', 'meter_interval'] as const)
    .map((table) => `select * from ${table} where meter = ? and sequence = ?`)
    .flatMap((find) => allBig<SampledRow>(database, find, meter, sequence))[0]

/** What a request moved but for energy is looked for by its name: one that is named otherwise would be seen by nobody. */
function checkName(findings: Findings, { id, unit, request }: StoredTransfer): void {
  if (unit === 'mJ' || request === null || id.startsWith(`${request}/`)) return
  findings.doubled++
  findings.add('transfer', id, 'is explained by nothing')
}

function checkBalances({ database }: Books, findings: Findings): Check['units'] {
  const derived = new Derived()
  for (const stored of stream<StoredTransfer>(database, 'select * from transfer'))
    if (isLedgerUnit(stored.unit)) {
      derived.add(transferOf(stored))
      checkName(findings, stored)
    } else findings.add('transfer', stored.id, `has an unknown unit ${stored.unit}`)
  for (const sum of rolledTransfers({ database }))
    if (isLedgerUnit(sum.unit)) derived.addSum(sum)
    else findings.add('rolled up', sum.from, `has an unknown unit ${sum.unit}`)
  const residual: Record<LedgerUnit, bigint> = { 'nano-USD': 0n, mJ: 0n, token: 0n, ugCO2e: 0n }
  for (const row of stream<{ account: string; unit: string; day: bigint; amount: bigint }>(
    database,
    'select * from balance',
  )) {
    if (!isLedgerUnit(row.unit)) {
      findings.add('balance', row.account, `has an unknown unit ${row.unit}`)
      continue
    }
    residual[row.unit] += row.amount
    derived.compare(findings, Number(row.day), row.unit, row.account, row.amount)
  }
  derived.rest(findings)
  const unit = (of: keyof typeof residual) => ({ residual: residual[of].toString(), transfers: derived.transfers[of] })
  return { 'nano-USD': unit('nano-USD'), mJ: unit('mJ'), token: unit('token'), ugCO2e: unit('ugCO2e') }
}
