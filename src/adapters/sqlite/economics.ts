/** What each engine cost and drew per token over the last minutes. */
import type { CostSpan, Economics } from '../../books/economics.ts'
import { declaredCost, economicsOf, meterParts } from '../../books/economics.ts'
import type { Sums } from '../../books/figures.ts'
import type { Stretch } from '../../books/range.ts'
import { listEngines } from './registry/engines.ts'
import { costSpans, enginesByMeter } from './registry/meters.ts'
import type { Store } from './store.ts'
import { sumsByName } from './sums.ts'

/** Long enough that a few long answers do not make it jump, short enough to be called now. */
const window_s = 300

/** Engines that are served by the machine's own meters: those that no other meter was given to. */
const machine = 'llama'

/** The last minutes, the slot under way included, and how many seconds of them are over. */
export function lastMinutes(now_ms: number): Stretch & { readonly seconds: number } {
  const to_s = Math.floor(now_ms / 10_000) * 10 + 10
  const from_s = to_s - window_s
  return { from_s, to_s, span: 10, seconds: now_ms / 1000 - from_s }
}

export function economics(store: Store, machineMeters: readonly string[], now_ms: number): Economics[] {
  const stretch = lastMinutes(now_ms)
  const served = sumsByName(store, 'replica', stretch)
  const metered = sumsByName(store, 'meter', stretch)
  const spans = costSpans(store)
  const engines = listEngines(store)
  const byMeter = enginesByMeter(store)
  const own = engines.filter(({ vendor }) => vendor === machine).map(({ name }) => name)
  for (const meter of machineMeters) if (!byMeter.has(meter)) byMeter.set(meter, own)
  return engines.map(({ name, created_ms }) => {
    const from_ms = Math.max(stretch.from_s * 1000, created_ms)
    return economicsOf({
      engine: name,
      served: served.get(name) ?? new Map(),
      meters: metersOf(name, byMeter, metered, served),
      cost: declared(spans, name, from_ms, now_ms),
      seconds: Math.max(1, (now_ms - from_ms) / 1000),
    })
  })
}

function metersOf(
  engine: string,
  byMeter: ReadonlyMap<string, readonly string[]>,
  metered: ReadonlyMap<string, Sums>,
  served: ReadonlyMap<string, Sums>,
): { sums: Sums; part: number }[] {
  return [...byMeter].flatMap(([meter, engines]) => {
    const sums = metered.get(meter)
    const at = engines.indexOf(engine)
    if (!sums || at < 0) return []
    return { sums, part: meterParts(engines.map((one) => tokensOf(served.get(one))))[at] ?? 0 }
  })
}

const classes = ['input_uncached', 'cache_read', 'cache_write', 'output_visible', 'reasoning']
const tokensOf = (sums: Sums | undefined): number =>
  classes.reduce((total, tokenClass) => total + (sums?.get(tokenClass) ?? 0), 0)

function declared(spans: readonly CostSpan[], engine: string, from_ms: number, to_ms: number): number | undefined {
  const mine = spans.filter((span) => span.engine === engine)
  return mine.length === 0 ? undefined : declaredCost(mine, from_ms, to_ms)
}
