/** Lines by replica, and by the chip that a replica was declared to run on. */
import { hour_ms } from '../../../books/cost-hour.ts'
import type { LineFacts } from '../../../books/cost-lines.ts'
import type { Weighted } from '../../../books/cost-place.ts'
import { placingOnEngines } from '../../../books/cost-place.ts'
import { earnedByReplica } from '../../../books/earned.ts'
import type { Sums } from '../../../books/figures.ts'
import { tokenClasses } from '../../../books/usage.ts'
import { apportion } from '../../../units/amount.ts'
import type { Books } from '../books.ts'
import { all } from '../query.ts'
import { orderedParts, summedFrom } from '../statement-sums.ts'
import { sumsByName } from '../sums.ts'
import { type LineTime, renamed, stretchOf } from './line-time.ts'
import { measuredEngines } from './measured-engines.ts'

/** Of an engine of which no chip was declared, or that was removed. */
const notDeclared = 'not declared'

export function engineLines(books: Books, by: 'replica' | 'chip', time: LineTime): LineFacts {
  const stretch = stretchOf(time)
  const served = sumsByName(books, 'replica', stretch)
  const under = enginesUnder(books, time, served)
  const lines = new Map([...served].map(([name, sums]) => [name, new Map(sums)]))
  const add = (name: string, measure: string, amount: bigint): void => {
    const sums = lines.get(name) ?? new Map<string, number>()
    lines.set(name, sums.set(measure, (sums.get(measure) ?? 0) + Number(amount)))
  }
  const earned = earnedByReplica(orderedParts(books, undefined, time.from, time.to), sumsByName(books, 'flow', stretch))
  for (const [name, amount] of earned.by) add(name, 'nano_usd', amount)
  if (earned.unplaced !== 0n) add('unknown', 'nano_usd', earned.unplaced)
  for (const { meter, energy_mj } of time.metered) {
    const engines = under.get(meter) ?? []
    if (engines.length === 0) continue
    const parts = apportion(
      energy_mj,
      engines.map(({ weight }) => weight),
    )
    for (const [at, { name }] of engines.entries()) add(name, 'energy_mj', parts[at] ?? 0n)
  }
  const nameOf = by === 'replica' ? (engine: string) => engine : chipsOf(books)
  return {
    place: placingOnEngines(under, nameOf),
    served: renamed<string>(lines, nameOf),
    earns: time.from >= summedFrom(books),
    energy: 'drawn',
  }
}

function chipsOf({ database }: Books): (engine: string) => string {
  const declared = all<{ name: string; chips: string | null }>(database, 'select name, chips from engine')
  const chips = new Map(declared.map(({ name, chips: text }) => [name, text?.split(':')[0] ?? notDeclared]))
  return (engine) => chips.get(engine) ?? notDeclared
}

/** By the tokens that each served. */
function enginesUnder(books: Books, time: LineTime, served: ReadonlyMap<string, Sums>): Map<string, Weighted[]> {
  const under = measuredEngines(books)
  const [from_ms, to_ms] = [time.from * hour_ms, time.to * hour_ms]
  return new Map(
    [...new Set(time.metered.map(({ meter }) => meter))].map((meter) => {
      const engines = under(meter, from_ms, to_ms)
      const weights = engines.map((engine) => tokensOf(served.get(engine)))
      const nobody = weights.every((weight) => weight === 0n)
      return [meter, engines.map((name, at) => ({ name, weight: nobody ? 1n : (weights[at] ?? 0n) }))]
    }),
  )
}

const tokensOf = (sums: Sums | undefined): bigint =>
  BigInt(tokenClasses.reduce((total, tokenClass) => total + (sums?.get(tokenClass) ?? 0), 0))
