import type { MeterInterval } from '../plant/energy/meter.ts'
import type { AttemptId } from '../units/ids.ts'
import type { LedgerUnit, Transfer } from './account.ts'
import { dayOf, ledgerUnits } from './account.ts'
import { attribute, workOfSeen } from './energy.ts'
import type { StepFit } from './fit.ts'
import { post } from './post.ts'
import type { PriceVersion } from './price.ts'
import type { CloseRow } from './row.ts'
import type { Seen } from './seen.ts'
import type { EngineWork } from './settle.ts'
import { reconcile } from './settle.ts'
import type { SliceShare } from './slices.ts'

/** The first thing found that does not add up: where to begin to look. */
export interface Broken {
  readonly what: string
  readonly id: string
  readonly why: string
}

export interface Check {
  /** Everything below adds up, to the last unit. */
  readonly conserved: boolean
  /** Per unit: the sum over all accounts, which is 0, and how many transfers there are. */
  readonly units: { readonly [unit in LedgerUnit]: { readonly residual: string; readonly transfers: number } }
  /** Tokens that the engines' logs show beyond what is booked as served or wasted; below zero: booked beyond the log. */
  readonly engine: { readonly attempts: number; readonly residual: string }
  /** Journal rows known to be missing (counted as one per journal) and transfers that should be there and are not. */
  readonly lost: number
  /** Transfers that nothing explains. */
  readonly doubled: number
  readonly requests: number
  readonly open: number
  readonly quarantined: number
  readonly intervals: number
  /** Meters above others: Σ (upper − below − booked + owed), which is 0; and where those below showed more than those above. */
  readonly levels: {
    readonly intervals: number
    readonly residual: string
    readonly negative: number
    readonly owed_mj: string
  }
  /** Of these requests and intervals, the days long past of which only sums are kept. */
  readonly rolled_up: { readonly requests: number; readonly intervals: number; readonly until_ms: number | null }
  readonly lag: object
  /** How many findings there are besides the first. */
  readonly broken: number
  readonly first_broken?: Broken
}

/** What an audit has found so far. */
export class Findings {
  lost = 0
  doubled = 0
  broken = 0
  first: Broken | undefined

  add(what: string, id: string, why: string): void {
    this.broken++
    this.first ??= { what, id, why }
  }

  /** Compares what should have been posted with what is stored; every difference is named. */
  compare(expected: readonly Transfer[], stored: readonly Transfer[]): void {
    const found = new Map(stored.map((one) => [one.id, one]))
    for (const should of expected) {
      const is = found.get(should.id)
      found.delete(should.id)
      if (!is) {
        this.lost++
        this.add('transfer', should.id, 'is missing')
      } else if (differs(should, is)) this.add('transfer', should.id, `is ${told(is)}, should be ${told(should)}`)
    }
    for (const extra of found.values()) {
      this.doubled++
      this.add('transfer', extra.id, 'is explained by nothing')
    }
  }
}

const differs = (a: Transfer, b: Transfer): boolean =>
  a.unit !== b.unit ||
  a.from !== b.from ||
  a.to !== b.to ||
  a.amount !== b.amount ||
  a.request !== b.request ||
  a.at_ms !== b.at_ms

const told = ({ amount, unit, from, to, request, at_ms }: Transfer): string =>
  `${amount} ${unit} ${from} → ${to} for ${request} at ${at_ms}`

/** What went from one account to another on a UTC day, counted from 1970. */
export interface DaySum extends Pick<Transfer, 'unit' | 'from' | 'to' | 'amount'> {
  readonly day: number
  readonly transfers: number
}

/** Balances by account, unit and day, derived again from the transfers. */
export class Derived {
  readonly transfers: Record<LedgerUnit, number> = { 'nano-USD': 0, mJ: 0, token: 0, ugCO2e: 0 }
  private readonly balances = new Map<string, bigint>()

  add({ at_ms, ...transfer }: Transfer): void {
    this.addSum({ ...transfer, day: dayOf(at_ms), transfers: 1 })
  }

  /** Transfers of a day between two accounts, as one. */
  addSum({ unit, from, to, amount, day, transfers }: DaySum): void {
    this.move(`${day} ${unit} ${from}`, -amount)
    this.move(`${day} ${unit} ${to}`, amount)
    this.transfers[unit] += transfers
  }

  /** Compares a stored balance and strikes it off. */
  compare(findings: Findings, day: number, unit: LedgerUnit, account: string, amount: bigint): void {
    const key = `${day} ${unit} ${account}`
    const should = this.balances.get(key)
    this.balances.delete(key)
    if (should !== amount) findings.add('balance', key, `is ${amount}, its transfers add up to ${should ?? 0n}`)
  }

  /** Balances that are not stored at all. */
  rest(findings: Findings): void {
    for (const [key, amount] of this.balances)
      findings.add('balance', key, `is missing, its transfers add up to ${amount}`)
  }

  private move(key: string, amount: bigint): void {
    this.balances.set(key, (this.balances.get(key) ?? 0n) + amount)
  }
}

/** All that the books hold of one settled request, but for its energy. */
export interface SettledRequest {
  readonly row: CloseRow
  readonly price: PriceVersion | undefined
  /** What the engines' logs say of it, as far as it is reconciled. */
  readonly works: readonly EngineWork[]
  readonly transfers: readonly Transfer[]
  /** Whether it was put aside that an attempt's log is below its row. */
  isPutAside(attempt: AttemptId): boolean
}

/** Works out again what a request should have posted. Gives engine's tokens − booked tokens of its attempts. */
export function auditRequest(findings: Findings, { row, price, works, transfers, isPutAside }: SettledRequest): bigint {
  findings.compare([...post(row, price), ...works.flatMap((work) => reconcile(row, work).transfers)], transfers)
  let sum = 0n
  for (const work of works) {
    const mine = transfers.filter(({ id }) => id.startsWith(`${work.attempt}/token/`))
    const booked = mine.reduce((total, { amount }) => total + amount, 0n)
    const residual = BigInt(work.input_uncached + work.cache_read + work.output) - booked
    const { short } = reconcile(row, work)
    if (residual !== 0n && !(short > 0 && residual === -BigInt(short) && isPutAside(work.attempt)))
      findings.add('attempt', work.attempt, `engine's tokens − booked tokens = ${residual}`)
    sum += residual
  }
  return sum
}

/** How an interval was attributed: who worked in it, the fits that were known, and what was noted of the division. */
export interface AttributedInterval {
  readonly seen: readonly Seen[]
  readonly slices: readonly SliceShare[]
  readonly fits: readonly StepFit[]
  readonly fit: number | null
  readonly modelled_mj: bigint | null
}

/** Works out again what an interval should have posted; nothing while it is not attributed. */
export function auditInterval(
  findings: Findings,
  interval: MeterInterval,
  how: AttributedInterval | undefined,
  transfers: readonly Transfer[],
): void {
  if (!how) return findings.compare([], transfers)
  const { fit, modelled_mj } = how
  const known = fit === null ? [] : how.fits.filter(({ version }) => version <= fit)
  const again = attribute(interval, workOfSeen(how.seen), known, how.slices)
  findings.compare(again.transfers, transfers)
  const name = `${interval.meter}/${interval.sequence}`
  if (again.division.fit !== fit || again.division.modelled_mj !== modelled_mj)
    findings.add('interval', name, `was divided by fit ${again.division.fit}, not by ${fit}`)
  const sum = transfers.reduce((total, { amount }) => total + amount, 0n)
  if (sum !== interval.energy) findings.add('interval', name, `drew ${interval.energy} mJ, ${sum} mJ are booked`)
}

export const isLedgerUnit = (text: string): text is LedgerUnit => (ledgerUnits as readonly string[]).includes(text)
