import { csvCell } from './csv.ts'
import type { CreditLine, Statement } from './statement.ts'
import { isDueOther } from './statement.ts'
import type { AgreementKind } from './terms/agreement.ts'

const columns = [
  'kind',
  'application',
  'model',
  'price_version',
  'slo',
  'class',
  'cause',
  'grade',
  'requests',
  'tokens',
  'usd_per_million',
  'usd',
  'energy_mj',
  'credit',
  'site',
] as const
/** Of a tenant that is billed in another currency, beside the others. */
const billedColumns = ['billed', 'currency', 'rate', 'rate_day', 'exchange_version'] as const
type Column = (typeof columns)[number] | (typeof billedColumns)[number]

/** Each thing that became of a credit, by its name: `credit used` is what it paid. */
const creditRows = ({ credit, granted_usd, used_usd, expired_usd, returned_usd, billed }: CreditLine) =>
  Object.entries({ granted: granted_usd, used: used_usd, expired: expired_usd, returned: returned_usd })
    .filter(([, usd]) => usd !== '0')
    .map(([what, usd]) => ({ kind: `credit ${what}`, credit, usd, ...(what === 'used' && { billed }) }))

const agreedRow: Readonly<Record<AgreementKind, string>> = {
  free: 'taken off free',
  graduated: 'taken off graduated',
  volume: 'taken off volume',
  commitment: 'commitment shortfall',
}

/** One row per line of the statement, its kind in the first column (RFC 4180). */
export function statementCsv(statement: Statement): string {
  const { billing } = statement
  const all: readonly Column[] = billing ? [...columns, ...billedColumns] : columns
  const rows: Partial<Record<Column, unknown>>[] = [
    ...statement.lines.map((line) => ({ kind: line.cached ? 'cache_hit' : 'billed', ...line })),
    ...statement.refunds.map((line) => ({ kind: 'refund', ...line })),
    { kind: 'total', requests: statement.requests, usd: statement.total_usd, billed: billing?.total },
    ...statement.agreed.map(({ kind, terms, ...line }) => ({
      ...line,
      kind: agreedRow[kind],
      cause: `terms ${terms}`,
    })),
    ...statement.credits.flatMap(creditRows),
    ...(isDueOther(statement) ? [{ kind: 'due', usd: statement.due_usd, billed: billing?.due }] : []),
    ...statement.waste.map((line) => ({ kind: 'waste', ...line })),
    ...statement.energy.map((line) => ({ kind: 'energy', ...line })),
    ...(billing?.rates.map((rate) => ({ kind: 'exchange rate', ...rate })) ?? []),
  ].map((row) => ({ ...row, ...('billed' in row && row.billed !== undefined && { currency: billing?.currency }) }))
  const text = rows.map((row) => all.map((column) => csvCell(row[column])).join(','))
  return `${[all.join(','), ...text].join('\r\n')}\r\n`
}
