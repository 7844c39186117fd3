/** Tenants of one factory for tests: each with things whose names stand nowhere else, so that a stray one is seen. */
import { ingestJournal, noteJournal } from '../../adapters/sqlite/ingest.ts'
import { setAllowance } from '../../adapters/sqlite/registry/allowances.ts'
import { addEngine } from '../../adapters/sqlite/registry/engines.ts'
import { setKeyQuota } from '../../adapters/sqlite/registry/key-quota.ts'
import { createKey, type KeyRecord, type NewKey } from '../../adapters/sqlite/registry/keys.ts'
import { setPrice } from '../../adapters/sqlite/registry/prices.ts'
import { declareAgreement } from '../../adapters/sqlite/terms/agreements.ts'
import { grantCredit } from '../../adapters/sqlite/terms/credits.ts'
import { closeRow, dice, embeddedUsage, journaled, openRow } from '../../adapters/sqlite/testing.ts'
import { priceList } from '../../books/price.ts'
import type { CloseRow, OpenRow } from '../../books/row.ts'
import { formatDecimal, nanoDollars, price } from '../../units/amount.ts'
import { type Incarnation, id, requestId } from '../../units/ids.ts'
import type { Factory } from './factory.ts'

export interface TestTenant {
  readonly tenant: string
  readonly app: string
  readonly key: string
  readonly record: KeyRecord
  /** Another key, which has limits, and is of the tenant's second application. */
  readonly limited: { readonly key: string; readonly record: KeyRecord }
  readonly request: string
  readonly open: string
  /** Words that nobody but the tenant and the factory may see. */
  readonly own: readonly string[]
}

/** Names that begin alike, and one that holds what separates names. */
const names = ['acme', 'acme/eu', 'acme0', 'acm']
/** What of the factory no tenant may see. */
export const ofFactory = [
  'engine-xq',
  '192.0.2.77',
  'upstream-xq',
  'XQ_SECRET',
  'note-xq',
  'h200:8',
  'gateways',
  'snapshot',
]

export const plainKey: Omit<NewKey, 'tenant' | 'application'> = {
  models: null,
  requests_per_minute: null,
  tokens_per_minute: null,
  expires_ms: null,
  slo: 'standard',
}

export function settle(factory: Factory, seed: number): TestTenant[] {
  const { store } = factory
  addEngine(store, {
    name: 'engine-xq',
    vendor: 'openai',
    product: 'vllm',
    url: 'http://192.0.2.77:8000/v1',
    key_from: 'env:XQ_SECRET',
    metrics_url: null,
    chips: 'h200:8',
    concurrency: 4,
    models: { large: 'upstream-xq' },
    created_ms: 1,
  })
  for (const model of ['large', 'starter'])
    setPrice(store, {
      model: id(model),
      effective_from_ms: 1,
      perMillion: priceList(price(5n), price(7n)),
      note: 'note-xq',
    })
  const roll = dice(seed)
  return names.map((tenant, index) => oneTenant(factory, tenant, `${seed}${'wxyz'[index]}`, roll))
}

function oneTenant(factory: Factory, tenant: string, mark: string, roll: (below: number) => number): TestTenant {
  const { store, pepper } = factory
  const now = factory.now()
  const app = `app-${mark}`
  const whole = createKey(store, pepper, { ...plainKey, tenant, application: app }, now)
  const limited = createKey(
    store,
    pepper,
    {
      ...plainKey,
      tenant,
      application: `second-${mark}`,
      models: ['large'],
      requests_per_minute: 10,
      expires_ms: now + 9e9,
    },
    now,
  )
  setKeyQuota(store, tenant, 9, now)
  const contract = `0.00${roll(9000) + 1000}${mark.length}`
  const nano = BigInt(contract.slice(2)) * 10n ** BigInt(9 - contract.length + 2)
  setPrice(store, {
    model: id('large'),
    effective_from_ms: 1,
    perMillion: priceList(price(nano), price(nano + 1n)),
    tenant: id(tenant),
    note: `note-xq ${mark}`,
  })
  const amount = BigInt(10 ** 12 + roll(1e9))
  setAllowance(store, { scope: 'tenant', of: tenant, unit: 'nano-USD', renews: 'month', amount }, now)
  setAllowance(
    store,
    {
      scope: 'application',
      of: `${encodeURIComponent(tenant)}/second-${mark}`,
      unit: 'tokens',
      renews: 'day',
      amount: 4000n,
    },
    now,
  )
  const credit = {
    tenant,
    kind: 'promo',
    amount: nanoDollars(10n ** 15n),
    from_hour: undefined,
    until_hour: null,
  } as const
  grantCredit(store, { ...credit, id: `cr${mark}`, note: `note-xq ${mark}` }, now)
  declareAgreement(
    store,
    {
      ...{ tenant, kind: 'free', class: null, counts: 'nano-USD', amount: 5n, tiers: [], from_hour: undefined },
      ...{ model: `agreed-${mark}`, note: `note-xq ${mark}` },
    },
    now,
  )
  const incarnation = id<Incarnation>(`gw${mark}`)
  const rows = requestsOf(incarnation, { tenant, app, mark, key: whole.record.id, now }, roll)
  noteJournal(store, incarnation)
  ingestJournal(store, incarnation, journaled(rows))
  return {
    tenant,
    app,
    key: whole.key,
    record: whole.record,
    limited,
    request: requestId(incarnation, 1),
    open: requestId(incarnation, 99),
    own: [
      app,
      `second-${mark}`,
      `gw${mark}`,
      `cr${mark}`,
      `agreed-${mark}`,
      whole.record.id,
      limited.record.id,
      whole.record.prefix,
      contract,
      formatDecimal(amount, 9),
      `"${tenant}"`,
    ],
  }
}

interface Whose {
  readonly tenant: string
  readonly app: string
  readonly mark: string
  readonly key: string
  readonly now: number
}

function requestsOf(of: Incarnation, { tenant, app, mark, key, now }: Whose, roll: (below: number) => number) {
  const whose = {
    tenant: id<CloseRow['tenant']>(tenant),
    key: id<CloseRow['key']>(key),
    model: id<CloseRow['model']>('large'),
  }
  const at = (number: number) => ({ at_ms: now - 5000 + number, closed_ms: now - 4000 + number })
  const replica = id<CloseRow['attempts'][number]['replica']>('engine-xq')
  const attempt = (number: number) => ({
    number,
    replica,
    usage: embeddedUsage(100 + roll(900), roll(50), 1 + roll(90)),
  })
  const rows: (CloseRow | OpenRow)[] = Array.from({ length: 8 }, (_, index) => {
    const outcome = index % 3 === 2 ? 'upstream_error' : 'complete'
    const application = id<CloseRow['application']>(index % 2 ? app : `second-${mark}`)
    return closeRow(index + 1, { ...whose, application, ...at(index), outcome, attempts: [attempt(1), attempt(2)] }, of)
  })
  return [...rows, openRow(99, { ...whose, application: id(app), at_ms: now - 100 }, of)]
}
