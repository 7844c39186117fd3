import type { TransferPage } from '../../adapters/sqlite/transfers.ts'
import type { FlowsAnswer } from '../../books/cost-flows.ts'
import type { PnlAnswer, PnlLine } from '../../books/pnl.ts'
import { fields, type Row, table } from './print.ts'

export function pnlView({ slots, tenants, models, sites, agreed, figures, ...head }: PnlAnswer): string[] {
  return [
    ...fields(head),
    '',
    'Figures',
    ...table(
      Object.entries(figures).map(([name, { value, unit, source }]) => ({ name, value: rounded(value), unit, source })),
    ),
    ...lines('By tenant', tenants),
    ...lines('By model', models),
    ...lines('By site', sites),
    ...agreedTable('Taken off or lacking of commitments, by tenant', agreed.tenants),
    ...agreedTable('Taken off, by model', agreed.models),
    '',
    `Cost per million tokens by ${head.step}, USD (estimated)`,
    ...table(
      slots.map(({ start, tokens, usd_per_mtoken }) => ({
        start,
        tokens,
        ...Object.fromEntries(Object.entries(usd_per_mtoken).map(([cause, usd]) => [cause, rounded(usd)])),
      })),
    ),
  ]
}

const agreedTable = (title: string, rows: PnlAnswer['agreed']['tenants']): string[] =>
  rows.length === 0 ? [] : ['', title, ...table(rows)]

const lines = (title: string, { rows, not_allocated_usd, allocated_by }: PnlAnswer['tenants']): string[] => [
  '',
  `${title}, what is nobody's allocated by ${allocated_by}${not_allocated_usd === '0' ? '' : `; not allocated: $${not_allocated_usd}`}`,
  ...table(rows.map(lineRow)),
]

const lineRow = ({ name, figures, ...line }: PnlLine): Row => ({
  name,
  revenue_usd: rounded(figures.revenue_usd.value),
  usage_usd: line.usd,
  own_usd: line.own_usd,
  making_usd: line.making_usd,
  allocated_usd: line.allocated_usd,
  contribution: rounded(figures.contribution_margin_usd.value),
  fully_loaded: rounded(figures.fully_loaded_margin_usd.value),
  tokens: line.tokens,
})

/** With the accounts by which `books transfers` lists what a flow is made of. */
export function flowsView({ flows, residuals, ...head }: FlowsAnswer): string[] {
  return [
    ...fields({ ...head, ...residuals }),
    '',
    ...table(flows.map(({ from, to, amount, out, into }) => ({ from, to, amount, out, into }))),
  ]
}

export function transfersView({ transfers, sum, next, kept_from_ms }: TransferPage): string[] {
  return [
    ...table(
      transfers.map(({ id, unit, from, to, amount, back, request, at_ms }) => ({
        at: new Date(at_ms).toISOString(),
        amount: `${back ? '-' : ''}${amount}`,
        unit,
        from,
        to,
        request,
        id,
      })),
    ),
    '',
    ...fields({
      sum_of_these: sum,
      next: next === null ? undefined : `--after ${next}`,
      kept_from: kept_from_ms === null ? undefined : new Date(kept_from_ms).toISOString(),
    }),
  ]
}

const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(5)))
