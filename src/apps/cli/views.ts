import type { RequestLine } from '../../adapters/sqlite/requests.ts'
import type { Receipt } from '../../books/receipt.ts'
import type { Statement } from '../../books/statement.ts'
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
    grade: grade(request.energy_grade, request.energy_final),
  }))

export const receiptView = (receipt: Receipt): string[] => {
  if (receipt.state === 'open') return fields(receipt)
  const { attempts, energy, price, at_ms, closed_ms, ...rest } = receipt
  return [
    ...fields({
      ...rest,
      at: new Date(at_ms).toISOString(),
      closed: new Date(closed_ms).toISOString(),
      joules: joules(energy.energy_mj),
      energy: grade(energy.grade, energy.final),
      price: price ? `version ${price.version}` : 'none: booked at 0',
    }),
    '',
    ...table(attempts.map(attemptRow)),
  ]
}

export const statementView = (statement: Statement): string[] => {
  const { lines, waste, energy, from_ms, to_ms, ...head } = statement
  const days = { from: new Date(from_ms).toISOString(), to: new Date(to_ms).toISOString() }
  const part = (title: string, rows: readonly object[]): string[] =>
    rows.length === 0 ? [] : ['', title, ...table(rows as readonly Row[])]
  return [
    ...fields({ ...head, ...days }),
    ...part('Billed', lines),
    ...part('Waste, not billed', waste),
    ...part(
      'Energy',
      energy.map(({ energy_mj, ...line }) => ({ ...line, joules: joules(energy_mj) })),
    ),
  ]
}

/** Tokens by class with who counted them, and what each class cost. */
const attemptRow = ({ number, replica, usage, ...rest }: Settled['attempts'][number]): Row => ({
  attempt: number,
  engine: replica,
  ...Object.fromEntries(
    Object.entries(usage).map(([of, count]) => [of, count ? `${count.tokens} (${count.source})` : null]),
  ),
  ...rest,
})

/** What a hosted engine drew is unknown, and stays so. */
const grade = (of: string, final: boolean): string =>
  of === 'unknown' ? of : `${of}, ${final ? 'final' : 'provisional'}`

const sum = (tokens: RequestLine['tokens'], classes: readonly string[]): number | null => {
  const known = classes.flatMap((of) => tokens[of] ?? [])
  return known.length === 0 ? null : known.reduce((total, count) => total + count, 0)
}

const joules = (mj: string | null): string | null => (mj === null ? null : (Number(mj) / 1000).toFixed(3))
