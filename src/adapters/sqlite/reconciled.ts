/** What the books say of what others count and bill, for whole hours. */

import { accounts } from '../../books/account.ts'
import { allMeters } from '../../books/cost.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import type { EngineCounts, InvoiceLine, Known, Reconciliation } from '../../books/reconciliation.ts'
import { joinedInvoice, reconciliation } from '../../books/reconciliation.ts'
import { tokenClasses } from '../../books/usage.ts'
import type { Books } from './books.ts'
import { stream } from './query.ts'
import { sumsByName } from './sums.ts'

interface Look {
  readonly engine: string
  readonly prompt: bigint
  readonly output: bigint
  readonly foreign_prompt: bigint | null
  readonly foreign_output: bigint | null
}

/** Hours in [from, to), counted from 1970. */
export function reconcile(books: Books, from: number, to: number, invoice: readonly InvoiceLine[]): Reconciliation {
  const { earned, crashed } = billed(books, from, to)
  const known = knowing(books, from, to)
  return reconciliation(
    { from_ms: from * hour_ms, to_ms: to * hour_ms },
    {
      counts: counts(books, from * hour_ms, to * hour_ms),
      crashed,
      earned,
      invoice: joinedInvoice(invoice).map((line) => [line, known(line)] as const),
    },
  )
}

const looks = `
  select engine, prompt, output, foreign_prompt, foreign_output from engine_counted
  where to_ms > ? and to_ms <= ? and foreign_prompt is not null order by engine`

function counts({ database }: Books, from_ms: number, to_ms: number): EngineCounts[] {
  const found = new Map<string, { engine: string; counted: bigint; foreign: bigint }>()
  for (const look of stream<Look>(database, looks, from_ms, to_ms)) {
    const of = found.get(look.engine) ?? { engine: look.engine, counted: 0n, foreign: 0n }
    of.counted += look.prompt + look.output
    of.foreign += (look.foreign_prompt ?? 0n) + (look.foreign_output ?? 0n)
    found.set(look.engine, of)
  }
  return [...found.values()]
}

/** Tokens and dollars on bills, and tokens that died with their request. */
function billed({ database }: Books, from: number, to: number) {
  const sums = { tokens: 0n, billed: 0n }
  let crashed = 0n
  const parts = stream<{ cause: string; tokens: bigint; amount: bigint }>(
    database,
    "select cause, tokens, amount from statement_part where hour >= ? and hour < ? and cause in ('', 'crash')",
    from,
    to,
  )
  for (const { cause, tokens, amount } of parts) {
    if (cause === 'crash') crashed += tokens
    else sums.tokens += tokens
    if (cause === '') sums.billed += amount
  }
  return { earned: sums, crashed }
}

/** Of an engine: tokens asked of it, and what it was declared to cost, by the token or the hour. Of energy: one meter, or all of them. */
function knowing(books: Books, from: number, to: number): (line: InvoiceLine) => Known | undefined {
  const stretch = { span: 3600, from_s: from * 3600, to_s: to * 3600 } as const
  const engines = sumsByName(books, 'replica', stretch)
  const meters = sumsByName(books, 'meter', stretch)
  const cost = costsOf(books, from, to)
  const drawn = (sums: ReadonlyMap<string, number> | undefined): bigint =>
    [...(sums ?? [])].reduce((sum, [measure, n]) => (measure.startsWith('drawn/') ? sum + BigInt(n) : sum), 0n)
  return ({ kind, name }) => {
    if (kind === 'energy') {
      const names = name === allMeters ? [...meters.keys()] : meters.has(name) ? [name] : []
      if (names.length === 0) return undefined
      return {
        quantity: names.reduce((sum, meter) => sum + drawn(meters.get(meter)), 0n),
        cost: names.reduce((sum, meter) => sum + cost(accounts.electricity(meter)), 0n),
      }
    }
    const sums = engines.get(name)
    const paid = cost(accounts.hosted(name)) + cost(accounts.capacity(name))
    if (!sums && paid === 0n) return undefined
    return { quantity: tokenClasses.reduce((sum, of) => sum + BigInt(sums?.get(of) ?? 0), 0n), cost: paid }
  }
}

function costsOf({ database }: Books, from: number, to: number): (source: string) => bigint {
  const sums = new Map<string, bigint>()
  const rows = stream<{ source: string; amount: bigint }>(
    database,
    "select source, amount from cost_hour where hour >= ? and hour < ? and unit = 'nano-USD'",
    from,
    to,
  )
  for (const { source, amount } of rows) sums.set(source, (sums.get(source) ?? 0n) + amount)
  return (source) => sums.get(source) ?? 0n
}
