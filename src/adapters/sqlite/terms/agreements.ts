/** Free quotas, tiers and commitments as they are declared: each a new version, and so is the end of one. */
import { hour_ms, hourOf } from '../../../books/cost-hour.ts'
import type { Agreement, Tier } from '../../../books/terms/agreement.ts'
import { placeOfAgreement, whyNotTiers } from '../../../books/terms/agreement.ts'
import { monthStart, nextMonth } from '../../../books/terms/month.ts'
import { all, run } from '../query.ts'
import { change, RegistryError } from '../registry/change.ts'
import { checkName } from '../registry/names.ts'
import type { Store } from '../store.ts'
import { listAgreements } from './agreed.ts'
import { beginTerms, markHour } from './done.ts'

/** A billion dollars, or as many billionths of tokens: beyond it, it is a slip, and sums stay below 2^63. */
const largest = 10n ** 18n - 1n

export interface Declaring extends Omit<Agreement, 'version' | 'ended' | 'from_hour' | 'declared_ms'> {
  /** Undefined: from the hour under way on; a commitment from the month after it. */
  readonly from_hour: number | undefined
}

/** A new version, which counts from its own beginning. */
export function declareAgreement(store: Store, asked: Declaring, now_ms: number): Agreement {
  const { kind, model, amount, tiers } = asked
  if (model !== null) checkName('model', 'model', model)
  if (asked.class !== null && (kind !== 'free' || asked.counts !== 'tokens'))
    throw new RegistryError('invalid', 'only a free quota in tokens is of a class', { param: 'class' })
  if (kind === 'commitment' && asked.tenant === null)
    throw new RegistryError('invalid', 'a commitment is of one tenant', { param: 'tenant' })
  const wrong = kind === 'graduated' || kind === 'volume' ? whyNotTiers(tiers) : undefined
  if (wrong) throw new RegistryError('invalid', wrong, { param: 'tiers' })
  if ([amount, ...tiers.map(({ from }: Tier) => from)].some((each) => each < 0n || each > largest))
    throw new RegistryError('invalid', 'an amount is from nothing to below a billion dollars, or 10^18 tokens', {
      param: kind === 'free' || kind === 'commitment' ? 'amount' : 'tiers',
    })
  return insertVersion(store, { ...asked, ended: false, from_hour: beginning(asked, now_ms), declared_ms: now_ms })
}

/** From an hour on, if none is given the next one, a version is no more, and nothing has its place. */
export const endAgreement = (store: Store, version: number, from_hour: number | undefined, now_ms: number): Agreement =>
  store.transaction(() => {
    const known = toEnd(listAgreements(store), version)
    const from = beginning({ ...known, from_hour: from_hour ?? soon(known.kind, now_ms) }, now_ms)
    const ends = { ...known, ended: true, from_hour: Math.max(from, known.from_hour), declared_ms: now_ms }
    return insertVersion(store, ends)
  })

function toEnd(agreements: readonly Agreement[], version: number): Agreement {
  const known = agreements.find((one) => one.version === version)
  if (!known || known.ended)
    throw new RegistryError('not_found', `no terms ${version} that could end`, {
      param: 'version',
      next: 'wattmill terms list',
    })
  const place = placeOfAgreement(known)
  const newer = agreements.find(
    (one) =>
      one.version > version &&
      one.tenant === known.tenant &&
      one.from_hour >= known.from_hour &&
      placeOfAgreement(one) === place,
  )
  if (!newer) return known
  throw new RegistryError('conflict', `terms ${newer.version} take the place of ${version}`, {
    param: 'version',
    next: newer.ended ? 'wattmill terms list' : `wattmill terms end ${newer.version}`,
  })
}

const soon = (kind: Agreement['kind'], now_ms: number): number | undefined =>
  kind === 'commitment' ? undefined : hourOf(now_ms) + 1

/** Nothing begins before the hour under way; and a commitment is of whole months. */
function beginning({ kind, from_hour }: Pick<Declaring, 'kind' | 'from_hour'>, now_ms: number): number {
  const hour = hourOf(now_ms)
  const from = from_hour ?? (kind === 'commitment' ? nextMonth(hour) : hour)
  if (from < hour)
    throw new RegistryError('invalid', 'terms begin with the hour under way, or later', { param: 'from' })
  if (kind === 'commitment' && monthStart(from) !== from)
    throw new RegistryError('invalid', 'a commitment begins and ends with a month, UTC', { param: 'from' })
  if (from * hour_ms > latest_ms)
    throw new RegistryError('invalid', 'terms begin before the year 2200', { param: 'from' })
  return from
}

const latest_ms = Date.UTC(2200, 0)

function insertVersion(store: Store, given: Omit<Agreement, 'version'>): Agreement {
  return change(store, () => {
    const next = 'select coalesce(max(version), 0) + 1 as next from agreement'
    const agreement = { ...given, version: Number(all<{ next: number }>(store.database, next)[0]?.next) }
    const {
      version,
      tenant,
      kind,
      model,
      class: of,
      counts,
      amount,
      tiers,
      ended,
      from_hour,
      declared_ms,
      note,
    } = agreement
    run(
      store.database,
      `insert into agreement (version, tenant, kind, model, class, counts, amount, tiers, ended, from_hour, declared_ms, note)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[version, tenant, kind, model, of, counts, amount, JSON.stringify(tiers, asText), ended ? 1 : 0],
      ...[from_hour, declared_ms, note],
    )
    for (const each of tenant === null ? tenantIds(store) : [tenant]) {
      beginTerms(store, each, declared_ms)
      markHour(store, each, from_hour)
    }
    return agreement
  })
}

const asText = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value)

const tenantIds = ({ database }: Store): string[] =>
  all<{ id: string }>(database, 'select id from tenant order by id').map(({ id }) => id)

/** A new tenant has the terms of all tenants, where there are any. Within a transaction of the caller's. */
export function beginPublicTerms(store: Store, tenant: string, now_ms: number): void {
  if (listAgreements(store).some((one) => one.tenant === null)) beginTerms(store, tenant, now_ms)
}
