/** Each job of a model: what it cost, how much of that is borne by now, and what it adds to a token. */
import { formatDecimal } from '../units/amount.ts'
import { hour_ms } from './cost-hour.ts'
import { usdText } from './cost-part.ts'
import { figure } from './figures.ts'
import type { Job } from './making.ts'
import { parted } from './tally.ts'

export interface JobFacts {
  readonly job: Job
  /** By closed hours, nano-dollars. */
  readonly borne: bigint
  /** Tokens since it began; null: it is borne by time. */
  readonly served: number | null
}

export function makingAnswer({ job, borne, served }: JobFacts) {
  const { kind, name, from, terms } = job
  const [model = '', of = ''] = parted(name)
  const each = terms.tokens === null ? null : Number(terms.amount) / 1e3 / terms.tokens
  return {
    model,
    kind,
    job: of,
    from: new Date(from * hour_ms).toISOString(),
    usd: usdText(terms.amount),
    kwh: formatDecimal(terms.energy_mj / 3600n, 6),
    over_months: terms.months,
    over_tokens: terms.tokens,
    served_tokens: served,
    borne_usd: usdText(borne),
    left_usd: usdText(terms.amount - borne),
    usd_per_mtoken: figure(each, 'USD/M tokens', 'estimated'),
  }
}

export type MakingAnswer = ReturnType<typeof makingAnswer>
