import type { CostAnswer } from '../../books/cost-answer.ts'
import type { DemandAnswer } from '../../books/demand-answer.ts'
import type { MakingAnswer } from '../../books/making-answer.ts'
import { fields, type Row, table } from './print.ts'

/** A partition, from its parts to its total, and what follows from it. */
export function costView(answer: CostAnswer): string[] {
  const {
    classes,
    waste,
    idle,
    overhead,
    making,
    purposes,
    sources,
    rows,
    by,
    allocated_by,
    not_allocated_usd,
    figures,
    ...head
  } = answer
  const part = (title: string, lines: readonly object[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...table(lines as readonly Row[])]
  return [
    ...fields({ ...head, ...(not_allocated_usd !== '0' && { not_allocated_usd }) }),
    ...part(
      'Usage, by class of token',
      classes
        .filter(({ tokens, usd }) => tokens > 0 || usd !== '0')
        .map(({ usd_per_mtoken, ...line }) => ({ ...line, usd_per_mtoken: rounded(usd_per_mtoken.value) })),
    ),
    ...part(`By ${by}, what is nobody's allocated by ${allocated_by}`, rows.map(costRow)),
    ...part(
      `Per request and token, by ${by}`,
      rows.map(({ name, figures: of }) => ({
        name,
        usage_usd_per_request: rounded(of.usage_usd_per_request.value),
        loaded_usd_per_request: rounded(of.loaded_usd_per_request.value),
        usage_usd_per_mtoken: rounded(of.usage_usd_per_mtoken.value),
        making_usd_per_mtoken: rounded(of.making_usd_per_mtoken.value),
        loaded_usd_per_mtoken: rounded(of.loaded_usd_per_mtoken.value),
        j_per_request: rounded(of.j_per_request.value),
      })),
    ),
    ...part(
      `Per joule, by ${by}`,
      rows
        .filter(({ figures: of }) => of.energy_kwh.value !== null || of.carbon_g.value !== null)
        .map(({ name, figures: of }) => ({
          name,
          energy_kwh: rounded(of.energy_kwh.value),
          carbon_g: rounded(of.carbon_g.value),
          tokens_per_j: rounded(of.tokens_per_j.value),
          revenue_usd_per_kwh: rounded(of.revenue_usd_per_kwh.value),
          revenue_usd_per_mw_h: rounded(of.revenue_usd_per_mw_h.value),
          energy: of.energy_kwh.unit.split(', ')[1],
        })),
    ),
    ...part('Waste, by cause', waste),
    ...part('Idle, by account', idle),
    ...part('Overhead', overhead),
    ...part('Making models: training, evaluation, data', making),
    ...part('Shares', purposes.length > 1 ? purposes.map(purposeRow) : []),
    ...part('Where it comes from', sources),
    ...part(
      'Figures',
      Object.entries(figures).map(([name, { value, unit, source }]) => ({ name, value: rounded(value), unit, source })),
    ),
  ]
}

export const demandRow = ({ peak_kw, ...month }: DemandAnswer) => ({ ...month, peak_kw: rounded(peak_kw.value) })

export const makingRow = ({ usd_per_mtoken, ...job }: MakingAnswer) => ({
  ...job,
  usd_per_mtoken: rounded(usd_per_mtoken.value),
})

const purposeRow = ({ purpose, usd, ...of }: CostAnswer['purposes'][number]) => ({
  purpose,
  usd,
  cost_share: rounded(of.cost_share.value),
  energy_kwh: rounded(of.energy_kwh.value),
  energy_share: rounded(of.energy_share.value),
})

const costRow = ({ name, figures, ...line }: CostAnswer['rows'][number]) => ({
  name,
  usage_usd: line.usd,
  own_usd: line.own_usd,
  making_usd: line.making_usd,
  allocated_usd: line.allocated_usd,
  loaded_usd: line.loaded_usd,
  requests: line.requests,
  tokens: line.tokens,
  revenue_usd: rounded(figures.revenue_usd.value),
  contribution: rounded(figures.contribution_margin_usd.value),
  fully_loaded: rounded(figures.fully_loaded_margin_usd.value),
})

const rounded = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(5)))
