import type { MeterHealth } from '../../adapters/sqlite/attribution.ts'
import type { RequestCost } from '../../adapters/sqlite/costs/of-request.ts'
import type { RequestLine } from '../../adapters/sqlite/requests.ts'
import type { BilledMoney } from '../../books/exchange/billed.ts'
import type { StatementBilling } from '../../books/exchange/statement-billing.ts'
import type { StepFit } from '../../books/fit.ts'
import type { Receipt } from '../../books/receipt.ts'
import type { Statement } from '../../books/statement.ts'
import { stepTerms } from '../../plant/energy/step-energy.ts'
import { fields, type Row, table } from './print.ts'

/** The books as people read them in a terminal; `-o json` holds all of it. */

type Settled = Extract<Receipt, { state: 'settled' }>

interface Check extends Row {
  readonly units: Readonly<Record<string, { readonly residual: string; readonly transfers: number }>>
}

/** Each unit sums to zero, or by how much it does not. */
export const checkView = ({ units, engine: _, lag: __, ...check }: Check): string[] => [
  ...fields(check),
  '',
  ...table(Object.entries(units).map(([unit, { residual, transfers }]) => ({ unit, residual, transfers }))),
]

export const requestsView = ({ requests }: { readonly requests: readonly RequestLine[] }): Row[] =>
  requests.map((request) => ({
    at: new Date(request.at_ms).toISOString(),
    id: request.id,
    model: request.model,
    tenant: `${request.tenant}/${request.application}`,
    outcome: request.outcome,
    tokens_in: sum(request.tokens, ['input_uncached', 'cache_read', 'cache_write']),
    tokens_out: sum(request.tokens, ['output_visible', 'reasoning']),
    usd: request.cost_usd,
    joules: joules(request.energy_mj),
    grade: request.cached ? 'from the cache' : grade(request.energy_grade, request.energy_final),
  }))

export const receiptView = (
  receipt: Receipt & { readonly factory_cost?: RequestCost; readonly billed?: BilledMoney },
): string[] => {
  if (receipt.state === 'open') return fields(receipt)
  const { attempts, energy, price, at_ms, closed_ms, cached, factory_cost: cost, billed, ...rest } = receipt
  return [
    ...fields({
      ...rest,
      at: new Date(at_ms).toISOString(),
      closed: new Date(closed_ms).toISOString(),
      joules: joules(energy.energy_mj),
      ...(cached && { cached: `the answer of ${cached.from}, ${cached.price}` }),
      ...(billed && {
        billed: `${billed.cost} ${billed.currency}, at ${billed.rate} of ${billed.rate_day} (declaration ${billed.exchange_version})`,
      }),
      ...(cost && {
        factory_cost:
          cost.usd === null ? 'nothing is declared' : `${cost.usd} USD, ${cost.final ? 'final' : 'provisional'}`,
      }),
      energy: cached ? 'none was drawn' : grade(energy.grade, energy.final),
      attribution: attribution(energy.attribution),
      price: price ? `version ${price.version}${price.site ? ` of ${price.site}` : ''}` : 'none: booked at 0',
    }),
    '',
    ...table(attempts.map(attemptRow)),
  ]
}

export const statementView = (statement: Statement): string[] => {
  const { lines, refunds, agreed, credits, waste, energy, from_ms, to_ms, billing, ...head } = statement
  const days = { from: new Date(from_ms).toISOString(), to: new Date(to_ms).toISOString() }
  const part = (title: string, rows: readonly object[]): string[] =>
    rows.length === 0 ? [] : ['', title, ...table(rows as readonly Row[])]
  return [
    ...fields({ ...head, ...days }),
    ...(billing ? ['', ...fields(inCurrency(billing))] : []),
    ...part('Exchange rates, of the currency for a dollar', billing?.rates ?? []),
    ...part('Billed', lines),
    ...part('Given back: promises that were missed', refunds),
    ...part('Agreed: taken off, or lacking of a commitment', agreed),
    ...part('Credit', credits),
    ...part('Waste, not billed', waste),
    ...part(
      'Energy',
      energy.map(({ energy_mj, ...line }) => ({ ...line, joules: joules(energy_mj) })),
    ),
  ]
}

const inCurrency = ({ currency, rates: _, ...billing }: StatementBilling): Row => ({
  billed_in: currency,
  ...billing,
})

/** Microjoules with their standard errors: a token of a small model is far below a joule. */
export const fitsView = ({
  meters,
  fits,
}: {
  readonly meters: readonly MeterHealth[]
  readonly fits: readonly StepFit[]
}) => [
  ...table(meters.map((meter) => ({ ...meter }))),
  '',
  ...table(
    fits.map(({ version, meter, replica, model, coefficients, errors, ...fit }) => ({
      version,
      meter,
      engine: replica,
      model,
      ...Object.fromEntries(
        stepTerms.map((term) => [`${term}_uj`, `${micro(coefficients[term])} ± ${micro(errors[term])}`]),
      ),
      held_out_factor: Number(fit.residual_factor.toPrecision(3)),
      error_median: `${(fit.error_median * 100).toFixed(1)} %`,
      observations: fit.observations,
      fitted: new Date(fit.fitted_ms).toISOString(),
    })),
  ),
]

const micro = (joules: number): string => (joules * 1e6).toPrecision(3)

/** Tokens by class with who counted them, and what each class cost. */
export const attemptRow = ({ number, replica, site, usage, choice: _, ...rest }: Settled['attempts'][number]): Row => ({
  attempt: number,
  engine: replica,
  site,
  ...Object.fromEntries(
    Object.entries(usage).map(([of, count]) => [of, count ? `${count.tokens} (${count.source})` : null]),
  ),
  ...rest,
})

/** What a hosted engine drew is unknown, and stays so. */
const grade = (of: string, final: boolean): string =>
  of === 'unknown' ? of : `${of}, ${final ? 'final' : 'provisional'}`

/** How the joules were divided, in one line. */
export const attribution = ({ grade, how, fits, residual_factor }: Settled['energy']['attribution']): string =>
  [
    `${grade}: ${how}`,
    ...(fits.length > 0 ? [`fit ${fits.join(', ')}`] : []),
    ...(residual_factor === null ? [] : [`residual factor ${residual_factor}`]),
  ].join('; ')

const sum = (tokens: RequestLine['tokens'], classes: readonly string[]): number | null => {
  const known = classes.flatMap((of) => tokens[of] ?? [])
  return known.length === 0 ? null : known.reduce((total, count) => total + count, 0)
}

export const joules = (mj: string | null): string | null => (mj === null ? null : (Number(mj) / 1000).toFixed(3))
