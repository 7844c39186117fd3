/** What gateways and engines would tell the books, made up from a seed, and the truth about it, counted on the way. */

import { hashOf } from '../../src/adapters/sqlite/journal-file.ts'
import { charge, priceList } from '../../src/books/price.ts'
import type { Attempt, CloseRow, OpenRow, Outcome, Row } from '../../src/books/row.ts'
import { isBilled } from '../../src/books/row.ts'
import type { JournalRow } from '../../src/books/ship.ts'
import { tokenClasses, totalTokens, usageFrom } from '../../src/books/usage.ts'
import { price } from '../../src/units/amount.ts'
import type { Incarnation } from '../../src/units/ids.ts'
import { attemptId, id, requestId } from '../../src/units/ids.ts'
import type { Dice } from '../dice.ts'

export const model = 'm'
const outcomes: readonly Outcome[] = ['complete', 'complete', 'complete', 'client_closed', 'timeout', 'upstream_error']

/** What the books have to hold in the end, added up here and by nothing of theirs. */
export interface Truth {
  requests: number
  tokens: bigint
  nano_usd: bigint
  energy_mj: bigint
  /** By the quarter of an hour, in milliseconds since 1970. */
  readonly drawn_mj: Map<number, bigint>
  hits: number
  /** Rows that contradict one that came before: to be put aside, and to post nothing. */
  conflicts: number
}

export type Prices = ReturnType<typeof priceList>

/** Five odd prices, so that rounding is met. */
export const pricesBy = (dice: Dice): Prices =>
  priceList(price(odd(dice, 3_000_000_000)), price(odd(dice, 15_000_000_000)), {
    cache_read: price(odd(dice, 300_000_000)),
    cache_write: price(odd(dice, 4_000_000_000)),
    reasoning: price(odd(dice, 20_000_000_000)),
  })

const odd = (dice: Dice, below: number): bigint => BigInt(2 * dice.whole(0, below / 2) + 1)

/** What holds from a moment on. */
export interface PriceList {
  readonly version: number
  readonly prices: Prices
  /** What an answer from the cache costs, of the price of its tokens. */
  readonly hit_percent: number
}

export interface Asked {
  readonly row: OpenRow
  readonly list: PriceList
}

/** A gateway's journal as far as it has been written, with what is open under it. */
export class Gateway {
  readonly incarnation: Incarnation
  readonly rows: JournalRow[] = []
  readonly open: Asked[] = []
  /** Rows before this one are in the books, and are kept only to be told again. */
  delivered = 0
  #requests = 0

  constructor(number: number) {
    this.incarnation = id<Incarnation>(`g${number}`)
  }

  ask(dice: Dice, at_ms: number, list: PriceList): void {
    const row: OpenRow = {
      kind: 'open',
      id: requestId(this.incarnation, ++this.#requests),
      tenant: id(`t${dice.whole(0, 9)}`),
      application: id(`a${dice.whole(0, 2)}`),
      key: id(`k${dice.whole(0, 19)}`),
      model: id(model),
      price_version: list.version,
      snapshot: 1,
      at_ms,
      reserved_tokens: 100,
    }
    this.open.push({ row, list })
    this.write(row)
  }

  write(row: Row): void {
    const body = JSON.stringify(row)
    this.rows.push({ seq: this.rows.length + 1, row, body, hash: hashOf(body) })
  }
}

/** The lines that an engine of ours logs of an attempt, and how many tokens they stand for. */
export interface Logged {
  readonly lines: readonly string[]
  readonly tokens: number
}

export function logged(dice: Dice, request: string, number: number, at_ms: number): Logged {
  const name = attemptId(request as OpenRow['id'], number)
  const [input_uncached, cache_read, output] = [dice.whole(1, 400), dice.whole(0, 3) * 64, dice.whole(1, 120)]
  const end_ms = at_ms + dice.whole(1, 40)
  const lines = [
    { log: 'begin', at_ms, id: name, model, input_uncached, cache_read },
    { log: 'step', at_ms: end_ms, took_us: dice.whole(500, 40_000), made: [[name, output]] },
    { log: 'end', at_ms: end_ms, id: name, why: 'stop', count: { input_uncached, cache_read, output } },
  ]
  return { lines: lines.map((line) => JSON.stringify(line)), tokens: input_uncached + cache_read + output }
}

/** An attempt of an engine of ours, whose last words may not have been heard, or of a hosted one, which is all that is known. */
export function attemptBy(dice: Dice, number: number, log: Logged | undefined): Attempt {
  if (!log) {
    const counts = {
      input_uncached: dice.whole(0, 5000),
      cache_read: dice.whole(0, 4000),
      cache_write: dice.whole(0, 100),
      output_visible: dice.whole(0, 800),
      reasoning: dice.whole(0, 1) * dice.whole(0, 2000),
    }
    return { number, replica: id('hosted'), usage: usageFrom('provider', counts) }
  }
  const { input_uncached, cache_read, count } = { ...JSON.parse(log.lines[0] ?? ''), ...JSON.parse(log.lines[2] ?? '') }
  const output_visible = dice.whole(0, 9) === 0 ? dice.whole(0, count.output) : count.output
  const usage = usageFrom('engine', { input_uncached, cache_read, cache_write: 0, output_visible, reasoning: 0 })
  return { number, replica: id('embedded'), usage }
}

export function closed(dice: Dice, { row }: Asked, attempts: readonly Attempt[], closed_ms: number): CloseRow {
  const { kind: _, reserved_tokens: __, ...asked } = row
  const outcome = dice.pick(outcomes)
  return { ...asked, kind: 'close', closed_ms, queued_ms: 0, ttft_ms: 10, stream: true, outcome, attempts }
}

/** An answer from the cache: no engine worked, and it costs a part of the tokens that it spared. */
export function hit(dice: Dice, { row }: Asked, closed_ms: number): CloseRow {
  const counts = {
    input_uncached: dice.whole(0, 4000),
    cache_read: dice.whole(0, 3000),
    cache_write: 0,
    output_visible: dice.whole(1, 600),
    reasoning: 0,
  }
  const { kind: _, reserved_tokens: __, ...asked } = row
  const cached = { from: row.id, usage: usageFrom('engine', counts) }
  return {
    ...asked,
    kind: 'close',
    closed_ms,
    queued_ms: 0,
    ttft_ms: 1,
    stream: true,
    outcome: 'complete',
    attempts: [],
    cached,
  }
}

export function countHit(truth: Truth, { cached }: CloseRow, { prices, hit_percent }: PriceList): void {
  truth.requests++
  truth.hits++
  for (const of of tokenClasses) {
    const part = price((prices[of] * BigInt(hit_percent) + 50n) / 100n)
    truth.nano_usd += charge(cached?.usage[of]?.tokens ?? (0 as never), part)
  }
}

/** Counts a settled request: only the last attempt is anybody's bill; what engines of ours logged is counted by the log. */
export function count(truth: Truth, row: CloseRow, prices: Prices): void {
  truth.requests++
  for (const { replica, usage } of row.attempts) if (replica === 'hosted') truth.tokens += BigInt(totalTokens(usage))
  const last = row.attempts.at(-1)
  if (!last || !isBilled(row.outcome)) return
  for (const of of tokenClasses) truth.nano_usd += charge(last.usage[of]?.tokens ?? (0 as never), prices[of])
}
