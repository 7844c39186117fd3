import type { FlowLine } from '../../adapters/operator/contract.ts'
import type { Named } from '../../adapters/sqlite/usage.ts'
import type { Figure, Figures, Power } from '../../books/figures.ts'
import type { EngineNow, EnginesNow } from '../operator/engines-now.ts'
import { type Row, table } from './print.ts'

/** What `top` shows, as the operator gives it. */
export interface Top {
  readonly status: {
    readonly version: string
    readonly url: string | null
    readonly started: string | null
    readonly gateways: readonly { readonly ready: boolean; readonly running: number; readonly waiting: number }[]
    readonly books_lag: {
      readonly journal_rows: number
      readonly open_intervals: number
      readonly failing: string | null
    }
    readonly quarantined: number
  }
  readonly floor: { readonly at_ms: number; readonly figures: Figures & Power; readonly models: readonly Named[] }
  readonly economics: EnginesNow
  readonly engines: readonly EngineState[]
  readonly flows: readonly FlowLine[]
}

interface EngineState {
  readonly name: string
  readonly draining: boolean
  readonly up: boolean | null
  readonly running: number
  readonly concurrency: number
}

/** More requests than this fit no window. */
const mostFlows = 100

/** The whole page, widest things last: what does not fit a window is cut on the right and below. */
export function topLines({ status, floor, economics, engines, flows }: Top): string[] {
  const { figures, at_ms } = floor
  const sum = (of: 'running' | 'waiting'): number => status.gateways.reduce((total, each) => total + each[of], 0)
  const ready = status.gateways.filter((gateway) => gateway.ready).length
  const { journal_rows, open_intervals, failing } = status.books_lag
  return [
    `Wattmill ${status.version}  ${status.url ?? ''}  up ${since(status.started, at_ms)}  ${new Date(at_ms).toISOString()}`,
    `gateways ${ready}/${status.gateways.length} ready   ${sum('running') - sum('waiting')} under way, ${sum('waiting')} waiting   ` +
      `books: ${journal_rows} rows, ${open_intervals} intervals behind` +
      (status.quarantined > 0 ? `, ${status.quarantined} put aside` : '') +
      (failing ? `   ${failing}` : ''),
    '',
    `last minute   ${shown(figures.output_tokens_per_s)} out   ${shown(figures.requests_per_min)}   failed ${percent(figures.failed_share)}`,
    `              TTFT ${shown(figures.ttft_p50_ms)} p50, ${shown(figures.ttft_p95_ms)} p95   ` +
      `ITL ${shown(figures.itl_p50_ms)} p50, ${shown(figures.itl_p95_ms)} p95`,
    `              ${shown(figures.power_w)}   ${shown(figures.tokens_per_j)}`,
    `last 5 min    revenue ${dollars(economics.revenue_usd_per_h)}/h   declared cost ${dollars(economics.cost_usd_per_h)}/h   ` +
      `margin ${dollars(economics.margin_usd_per_h)}/h`,
    '',
    ...table(
      economics.engines.map((one) =>
        engineRow(
          one,
          engines.find(({ name }) => name === one.engine),
        ),
      ),
    ),
    '',
    ...(floor.models.length > 0 ? [...table(floor.models.map(modelRow)), ''] : []),
    ...(flows.length > 0 ? table(flows.slice(0, mostFlows).map(flowRow)) : ['No request is under way.']),
  ]
}

const engineRow = (one: EngineNow, state: EngineState | undefined): Row => ({
  engine: one.engine,
  state: state?.draining
    ? 'draining'
    : state?.up === undefined || state.up === null
      ? 'unknown'
      : state.up
        ? 'up'
        : 'down',
  run: `${state?.running ?? 0}/${state?.concurrency ?? '-'}`,
  'own queue': one.reported?.waiting,
  kv: one.reported?.kv_usage === undefined ? null : `${(one.reported.kv_usage * 100).toFixed(0)} %`,
  'tok/s out': short(one.output_tokens_per_s),
  '$/M tok': short(one.usd_per_mtoken.all),
  '$/M out': short(one.usd_per_mtoken.output),
  'J/tok': short(one.j_per_token.all),
  'J/out': short(one.j_per_token.output),
  W: short(one.power_w),
  energy: one.energy_grade,
})

const modelRow = ({ name, figures }: Named): Row => ({
  model: name,
  'req/min': short(figures.requests_per_min.value),
  'tok/s out': short(figures.output_tokens_per_s.value),
  'TTFT p95 ms': short(figures.ttft_p95_ms.value),
  'ITL p95 ms': short(figures.itl_p95_ms.value),
  '$/M earned': short(figures.revenue_usd_per_mtoken.value),
  'J/out': short(figures.j_per_token.value),
  energy: figures.j_per_token.source,
})

const flowRow = (flow: FlowLine): Row => ({
  request: flow.id,
  tenant: `${flow.tenant}/${flow.application}`,
  model: flow.model,
  engine: flow.engine,
  phase: flow.phase,
  try: flow.attempt,
  tokens: flow.tokens,
  age: `${(flow.age_ms / 1000).toFixed(1)} s`,
})

/** With its unit and how sure it is, unless it is measured. */
const shown = ({ value, unit, source }: Figure): string =>
  value === null ? `- ${unit}` : `${short(value)} ${unit}${source && source !== 'measured' ? ` (${source})` : ''}`

const percent = ({ value }: Figure): string => (value === null ? '-' : `${(value * 100).toFixed(1)} %`)

/** Three digits; a small figure is not shown as 0. */
export function short(value: number | null | undefined): string | null {
  if (value === null || value === undefined) return null
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return digits > 8 ? value.toExponential(1) : value.toFixed(digits)
}

const dollars = (value: number | null): string =>
  value === null ? '-' : `${value < 0 ? '-' : ''}$${short(Math.abs(value))}`

function since(started: string | null, at_ms: number): string {
  if (started === null) return '-'
  const minutes = Math.max(0, Math.floor((at_ms - Date.parse(started)) / 60_000))
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
}
