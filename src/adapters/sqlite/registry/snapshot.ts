import { tokenClasses } from '../../../books/usage.ts'
import { mainSite } from '../../../plant/infrastructure/site.ts'
import type { WirePoints, WireSnapshot } from '../../operator/contract.ts'
import { type DecisionBody, lastDecision } from '../cap-decisions.ts'
import { routedCosts } from '../costs/routed.ts'
import { isFirst } from '../nodes.ts'
import type { Store } from '../store.ts'
import { listAliases } from './aliases.ts'
import { bindingAllowances } from './allowances.ts'
import { all, counter } from './change.ts'
import { listEngines } from './engines.ts'
import { listKeys } from './keys.ts'
import { listLimits } from './power.ts'
import { listPrices } from './prices.ts'
import { listRails } from './rails.ts'

/** An expired key is still known for a day, so that its owner is told what happened; then it is like any wrong key. */
const expiredKnown_ms = 24 * 3600 * 1000

/** None while there is no limit: what was decided under one that is gone holds nobody. */
function setPoints(store: Store): Pick<WireSnapshot, 'set_points'> {
  const last = listLimits(store).length > 0 ? lastDecision(store) : undefined
  if (!last) return {}
  const { at_ms, later, ...now } = last
  const upcoming = later.map(({ from_ms, until_ms, ...then }) => ({ ...pointsOf(then), from_ms, until_ms }))
  return { set_points: { ...pointsOf(now), at_ms, later: upcoming } }
}

const pointsOf = ({ settings, held }: Pick<DecisionBody, 'settings' | 'held'>): WirePoints => ({
  concurrency: settings.flatMap(({ engines }) => engines.map(([name, most]): [string, number] => [name, most])),
  held: held.map(({ model, slo }) => ({ model, slo })),
})

export const snapshotNumber = (store: Store): number => counter(store, 'snapshot')

/** All that gateways need to serve, as it stands now, under its number. */
export function wireSnapshot(store: Store, now_ms: number): WireSnapshot {
  const hashes = new Map(
    all<{ id: string; hash: string }>(store, 'select id, hash from api_key').map((row) => [row.id, row.hash]),
  )
  const inside = isFirst(store)
  const engines = listEngines(store).filter(({ url }) => inside || url !== null)
  const costs = routedCosts(store, engines, now_ms)
  return {
    number: snapshotNumber(store),
    published_ms: now_ms,
    gateways: Math.max(1, counter(store, 'gateways')),
    grants: listKeys(store)
      .filter((key) => key.revoked_ms === null && (key.expires_ms ?? now_ms) > now_ms - expiredKnown_ms)
      .map(({ id, prefix: _, revoked_ms: __, created_ms: ___, models, ...grant }) => ({
        ...grant,
        hash: hashes.get(id) ?? '',
        key: id,
        models: models && [...models],
      })),
    prices: listPrices(store).map(({ perMillion, ...version }) => ({
      ...version,
      perMillion: Object.fromEntries(
        tokenClasses.map((of) => [of, perMillion[of].toString()]),
      ) as WireSnapshot['prices'][number]['perMillion'],
    })),
    aliases: Object.fromEntries(listAliases(store).map(({ name, models }) => [name, [...models]])),
    ...setPoints(store),
    rails: listRails(store) as WireSnapshot['rails'] & {},
    allowances: bindingAllowances(store).map(({ id: _, amount, ...one }) => ({ ...one, amount: amount.toString() })),
    // Field by field: what else is known of an engine is no gateway's concern.
    engines: engines.map(({ name, vendor, product, url, key_from, concurrency, draining, site, models }) => ({
      name,
      vendor,
      product,
      url,
      key_from,
      concurrency,
      draining,
      ...(site !== mainSite && { site }),
      models: { ...models },
      ...costs.get(name),
    })),
  }
}
