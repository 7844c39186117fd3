import type { ApplicationId, KeyId, ModelId, TenantId } from '../units/ids.ts'

/** What an allowance is counted in. `concurrent`: requests under way at once. */
export const allowanceUnits = ['requests', 'tokens', 'nano-USD', 'mJ', 'concurrent'] as const
export type AllowanceUnit = (typeof allowanceUnits)[number]

/**
 * How what was used comes back: evenly over a minute (a rate), on the first of the UTC day or month (a budget), never (a
 * prepaid sum), or when the request is over (`release`).
 */
export const renewals = ['minute', 'day', 'month', 'never', 'release'] as const
export type Renewal = (typeof renewals)[number]

/** Whom it binds. Every request is bound by all that apply: its key's, its application's, its tenant's and its model's. */
export const scopes = ['key', 'application', 'tenant', 'model'] as const
export type Scope = (typeof scopes)[number]

/** So much may be used: of one unit, by one key, application, tenant or model, and again after it renews. */
export interface Allowance {
  /** `scope/of/unit/renews`: setting it again replaces it. */
  readonly id: string
  readonly scope: Scope
  readonly of: string
  readonly unit: AllowanceUnit
  readonly renews: Renewal
  readonly amount: bigint
}

export const allowanceId = ({ scope, of, unit, renews }: Omit<Allowance, 'id' | 'amount'>): string =>
  [scope, encodeURIComponent(of), unit, renews].join('/')

export const allowance = (of: Omit<Allowance, 'id'>): Allowance => ({ id: allowanceId(of), ...of })

/** Who asks for what, as far as allowances go. */
export interface Bound {
  readonly key: KeyId
  readonly tenant: TenantId
  readonly application: ApplicationId
  readonly model: ModelId
}

/** The name of a scope's member as `Allowance.of` has it. */
export function memberOf(scope: Scope, { key, tenant, application, model }: Bound): string {
  switch (scope) {
    case 'key':
      return key
    case 'application':
      return `${encodeURIComponent(tenant)}/${encodeURIComponent(application)}`
    case 'tenant':
      return tenant
    case 'model':
      return model
  }
}

/** Allowances by whom they bind: looked up once a request, in a snapshot that does not change. */
export type Allowances = ReadonlyMap<string, readonly Allowance[]>

export function indexed(all: readonly Allowance[]): Allowances {
  const index = new Map<string, Allowance[]>()
  for (const one of all) {
    const key = `${one.scope}/${one.of}`
    index.set(key, [...(index.get(key) ?? []), one])
  }
  return index
}

export const binding = (all: Allowances, bound: Bound): Allowance[] =>
  scopes.flatMap((scope) => all.get(`${scope}/${memberOf(scope, bound)}`) ?? [])

/** Which of its periods a moment lies in: what was used in one does not count in another. Days and months are UTC. */
export function periodOf(renews: Renewal, at_ms: number): number {
  const day = Math.floor(at_ms / 86_400_000)
  if (renews === 'day') return day
  return renews === 'month' ? monthOfDay(day) : 0
}

/** Months since January 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms", civil_from_days). */
function monthOfDay(day: number): number {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const march = Math.floor((5 * dayOfYear + 2) / 153)
  const month = march < 10 ? march + 3 : march - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return (year - 1970) * 12 + month - 1
}
