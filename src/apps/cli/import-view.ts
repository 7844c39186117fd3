import { fields, type Row, table } from './print.ts'

/** What an import of prices did, or would do. */
export interface Imported {
  readonly dry_run: boolean
  readonly of: 'price' | 'cost'
  readonly new: number
  readonly changed: number
  readonly unchanged: number
  readonly prices: readonly {
    readonly state: string
    readonly model: string
    readonly slo: string | null
    readonly usd_per_million: Readonly<Record<string, string>>
  }[]
  readonly left_out: readonly Row[]
}

export function importView({ prices, left_out, ...head }: Imported): string[] {
  const rows = prices.map(({ state, model, slo, usd_per_million: usd }) => ({
    state,
    model,
    slo: slo ?? 'all',
    input: usd.input_uncached,
    cache_read: usd.cache_read,
    cache_write: usd.cache_write,
    output: usd.output_visible,
    reasoning: usd.reasoning,
  }))
  return [
    ...fields(head),
    ...(rows.length === 0 ? [] : ['', 'USD per million tokens', ...table(rows)]),
    ...(left_out.length === 0 ? [] : ['', 'Not taken', ...table(left_out)]),
  ]
}
