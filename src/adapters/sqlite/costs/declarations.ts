/** What things cost, as people said it. */
import type { CostDeclaration, CostKind, CostTerms } from '../../../books/cost.ts'
import { hourOf } from '../../../books/cost-hour.ts'
import type { DemandRule } from '../../../books/demand.ts'
import type { Series } from '../../../plant/energy/series.ts'
import { nanoDollars, price } from '../../../units/amount.ts'
import { all, one, run } from '../query.ts'
import { change, RegistryError } from '../registry/change.ts'
import { checkName } from '../registry/names.ts'
import { rolledUp } from '../rolled.ts'
import type { Store } from '../store.ts'
import { markStale } from './stale.ts'

interface Row extends Omit<CostDeclaration, 'terms'> {
  readonly terms: string
}

/** All versions, oldest first; `until`: as things were when that one was the newest. */
export const declarations = (
  { database }: Pick<Store, 'database'>,
  until = Number.MAX_SAFE_INTEGER,
): CostDeclaration[] =>
  all<Row>(database, 'select * from cost_declaration where version <= ? order by version', until).map(declarationIn)

const declarationIn = ({ terms, ...row }: Row): CostDeclaration => ({ ...row, terms: termsFrom(JSON.parse(terms)) })

/** Of some kinds: a year of five-minute values is not read where nobody asks for it. */
export const declarationsOf = ({ database }: Pick<Store, 'database'>, kinds: readonly CostKind[]): CostDeclaration[] =>
  kinds
    .flatMap((kind) => all<Row>(database, 'select * from cost_declaration where kind = ?', kind).map(declarationIn))
    .sort((a, b) => a.version - b.version)

export const newestDeclaration = ({ database }: Pick<Store, 'database'>): number =>
  one<{ version: number | null }>(database, 'select max(version) as version from cost_declaration')?.version ?? 0

/** Further back nothing is worked out again. */
export const longestBack_ms = 400 * 86_400_000

/** Always a new version. Hours that are over and that it changes are worked out again. */
export function declare(
  store: Store,
  asked: Omit<CostDeclaration, 'version' | 'declared_ms'>,
  now_ms: number,
): CostDeclaration {
  checkName(asked.kind, 'name', asked.name.replaceAll('%', '-'))
  const rolled_ms = rolledUp(store).until_ms ?? 0
  if (asked.from_ms < Math.max(rolled_ms, now_ms - longestBack_ms))
    throw new RegistryError('invalid', 'a cost cannot begin so early: of those days only sums are kept, or none', {
      param: 'from',
      next: 'Begin at most 400 days ago, and after what is rolled up: wattmill books check',
    })
  // A new snapshot: gateways compare engines by what they cost.
  return change(store, () => {
    const version = newestDeclaration(store) + 1
    const { kind, name, from_ms, terms, note } = asked
    run(
      store.database,
      'insert into cost_declaration (version, kind, name, from_ms, declared_ms, terms, note) values (?, ?, ?, ?, ?, ?, ?)',
      version,
      kind,
      name,
      from_ms,
      now_ms,
      JSON.stringify(terms, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
      note,
    )
    markStale(store, hourOf(from_ms), Number.MAX_SAFE_INTEGER)
    return { ...asked, version, declared_ms: now_ms }
  })
}

/** Amounts are text in a row, which JSON's numbers would round. */
interface TermsText {
  readonly per: CostTerms['per']
  readonly amount?: string
  readonly interval_min?: number
  readonly offset_min?: number
  readonly rule?: DemandRule
  readonly energy_mj?: string
  readonly months?: number | null
  readonly tokens?: number | null
  readonly measured_by?: string
  readonly perMillion?: Readonly<Record<string, string>>
  readonly series?: {
    readonly usual: string
    readonly rules?: readonly { readonly value: string }[]
    readonly points?: readonly { readonly at_ms: number; readonly value: string }[]
  }
}

function termsFrom({ per, amount = '0', perMillion = {}, series, measured_by, ...rest }: TermsText): CostTerms {
  if (per === 'end') return { per }
  if (per === 'hour') return { per, amount: nanoDollars(BigInt(amount)) }
  if (per === 'kW') {
    const { interval_min = 15, offset_min = 0, rule = 'even' } = rest
    return { per, amount: nanoDollars(BigInt(amount)), interval_min, offset_min, rule }
  }
  if (per === 'job') {
    const { energy_mj = '0', months = null, tokens = null } = rest
    return { per, amount: nanoDollars(BigInt(amount)), energy_mj: BigInt(energy_mj), months, tokens }
  }
  if (per === 'token') {
    const prices = Object.entries(perMillion).map(([of, text]) => [of, price(BigInt(text))] as const)
    return { per, perMillion: Object.fromEntries(prices) as Extract<CostTerms, { per: 'token' }>['perMillion'] }
  }
  return { per, series: seriesFrom(series ?? { usual: '0' }), ...(measured_by !== undefined && { measured_by }) }
}

/** Months, weekdays, hours and offset are as they were written. */
const seriesFrom = ({ usual, rules, points, ...rest }: NonNullable<TermsText['series']>): Series => ({
  ...rest,
  usual: BigInt(usual),
  ...(rules && { rules: rules.map((rule) => ({ ...rule, value: BigInt(rule.value) })) }),
  ...(points && { points: points.map((point) => ({ ...point, value: BigInt(point.value) })) }),
})
