/** What engines cost now, as far as it decides who gets a request. What is charged, and what is booked, is worked out elsewhere. */
import { inForce, perHourSpans } from '../../../books/cost.ts'
import { joined } from '../../../books/tally.ts'
import { parsePrice } from '../../../units/amount.ts'
import { listPricesOf } from '../../openai/presets/list-price.ts'
import type { WireEngine } from '../../operator/contract.ts'
import type { EngineRecord } from '../registry/engines.ts'
import { givenSpans } from '../registry/meters.ts'
import type { Store } from '../store.ts'
import { declarations } from './declarations.ts'

type Costs = Pick<WireEngine, 'per_hour' | 'list'>

/**
 * Dollars an hour where they were declared; prices by token of a hosted engine as they were declared, else as its provider lists them.
 * An engine of which somebody said what an hour costs is not also taken for hosted.
 */
export function routedCosts(store: Store, engines: readonly EngineRecord[], now_ms: number): Map<string, Costs> {
  const declared = declarations(store)
  const given = givenSpans(store)
  return new Map(
    engines.map(({ name, product, models }): [string, Costs] => {
      const spans = perHourSpans(declared, 'capacity', name, given)
      const now = spans.find(
        ({ from_ms, until_ms }) => from_ms <= now_ms && (until_ms ?? Number.POSITIVE_INFINITY) > now_ms,
      )
      if (now) return [name, { per_hour: now.perHour.toString() }]
      const published = listPricesOf(product ?? '')
      const list: NonNullable<WireEngine['list']> = {}
      for (const [model, upstream] of Object.entries(models)) {
        const said = inForce(declared, 'list', joined(name, model), now_ms)?.terms
        const price =
          said?.per === 'token' ? said.perMillion : pricesOf(published.get(upstream) ?? published.get(model))
        if (price)
          list[model] = {
            input: price.input_uncached.toString(),
            cached: price.cache_read.toString(),
            output: price.output_visible.toString(),
          }
      }
      return [name, Object.keys(list).length === 0 ? {} : { list }]
    }),
  )
}

function pricesOf(listed: ReturnType<ReturnType<typeof listPricesOf>['get']>) {
  if (!listed) return undefined
  const [input, output] = [parsePrice(listed.input), parsePrice(listed.output)]
  if (input === undefined || output === undefined) return undefined
  const cached = listed.cache_read === undefined ? undefined : parsePrice(listed.cache_read)
  return { input_uncached: input, cache_read: cached ?? input, output_visible: output }
}
