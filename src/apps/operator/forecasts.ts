import { everything, type HourlyMeasure, hourly, named, type OfWhat, ofTenant } from '../../adapters/sqlite/hourly.ts'
import { hour_ms, hourOf } from '../../books/cost-hour.ts'
import type { Forecast } from '../../books/forecast.ts'
import { forecast, meant } from '../../books/forecast.ts'
import { ControlError } from './errors.ts'
import type { Factory } from './factory.ts'

/** Half a year: what is over of a time is added up from it, and of what was before, four weeks make the shape, and the rest shows how wrong it was. */
const history_h = 26 * 168
/** A year ahead: beyond that nobody should ask. */
const most_h = 366 * 24

export interface Asked {
  readonly tenant?: string | undefined
  readonly model?: string | undefined
}

/** What a time comes to: what is over of it, and what the hours that are left will bring. */
export function foretold(factory: Factory, asked: Asked, from_ms: number, to_ms: number) {
  const now = hourOf(factory.now())
  const [from, to] = [Math.ceil(from_ms / hour_ms), Math.floor(to_ms / hour_ms)]
  if (to <= now || to - now > most_h)
    throw new ControlError('invalid_value', 'a forecast ends at a moment to come, within a year', { param: 'to' })
  if (from < now - history_h)
    throw new ControlError('invalid_value', 'a forecast looks half a year back at most', { param: 'from' })
  const { tenant, model } = asked
  const whose = model !== undefined ? named('model', model) : tenant !== undefined ? ofTenant(tenant) : undefined
  const lines: readonly (readonly [HourlyMeasure, OfWhat])[] = [
    ['usd', whose ?? everything('factory')],
    ['tokens', whose ?? everything('model')],
    whose ? ['used_kwh', whose] : ['drawn_kwh', everything('meter')],
  ]
  return {
    of: model !== undefined ? `model ${model}` : tenant !== undefined ? `tenant ${tenant}` : 'factory',
    from: new Date(from * hour_ms).toISOString(),
    to: new Date(to * hour_ms).toISOString(),
    hours_left: to - now,
    interval: meant,
    source: 'estimated',
    lines: lines.map(([measure, what]) => lineOf(factory, measure, what, { from, now, to })),
  }
}

function lineOf(
  { store }: Factory,
  measure: HourlyMeasure,
  what: OfWhat,
  { from, now, to }: { readonly from: number; readonly now: number; readonly to: number },
) {
  const { first, values } = hourly(store, what, measure, { from: now - history_h, to: now })
  const over = values.slice(Math.max(0, from - first))
  const so_far = from >= now ? 0 : over.reduce((sum, value) => sum + value, 0)
  return { measure, so_far, ...told(so_far, forecast(values, to - now)) }
}

function told(so_far: number, found: Forecast) {
  if (found.verdict === 'too_little')
    return { verdict: found.verdict, hours_known: found.have_h, hours_needed: found.need_h } as const
  const { verdict, total, low, high, season_h, tests, tested_h, coverage } = found
  return {
    verdict,
    expected: so_far + total,
    low: so_far + low,
    high: so_far + high,
    backtest: { season_h, stretches: tests, hours_each: tested_h, coverage },
  } as const
}
