/** Prices as requests meet them: streamed or not, changed under way, and rated again from the rows. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { indexed } from '../../books/allowance.ts'
import { costOf, post } from '../../books/post.ts'
import type { PriceVersion } from '../../books/price.ts'
import { priceList } from '../../books/price.ts'
import { readPriceTable } from '../../books/price-table.ts'
import { otherwise } from '../../books/rerate.ts'
import type { CloseRow, Row } from '../../books/row.ts'
import { siteOf } from '../../books/row.ts'
import type { SloClass } from '../../books/slo-class.ts'
import { StatementBuilder } from '../../books/statement.ts'
import type { Usage } from '../../books/usage.ts'
import { tokenClasses, usageFrom } from '../../books/usage.ts'
import { formatDollars, price } from '../../units/amount.ts'
import type { ModelId, RequestId, SiteId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { seconds, tokens } from '../../units/quantity.ts'
import type { World } from './flow.ts'
import { newFlow } from './flow.ts'
import { inferenceLine } from './line.ts'
import { livePolicy } from './policy.ts'
import type { Grant, Snapshot } from './snapshot.ts'

const data = process.env.WATTMILL_DATA ?? '../shared/data'
const table = `${data}/prices/litellm-token-prices.json`
const changes = `${data}/prices/litellm-price-snapshot-diff.csv`

interface Served {
  readonly model: ModelId
  readonly slo: SloClass
  readonly stream: boolean
  readonly usage: Usage
  readonly site?: SiteId
  /** When it is asked, and when its engine has ended; s. */
  readonly at: number
  readonly ends: number
}

/** One request through the whole line, to its close row. */
function served(prices: readonly PriceVersion[], { model, slo, stream, usage, site, at, ends }: Served): CloseRow {
  const rows: Row[] = []
  const nothing = (): void => undefined
  const world: World = {
    generate: nothing,
    cancel: nothing,
    watch: nothing,
    write: nothing,
    release: nothing,
    append: (_, row) => void rows.push(row),
    keep: nothing,
    finish: nothing,
    wait: nothing,
  }
  const bounds = { queueLength: 2, queueTime: seconds(5), absentTime: seconds(0), leaseTime: seconds(1), attempts: 2 }
  const step = inferenceLine(livePolicy(bounds), world)
  const grant: Grant = {
    key: id('k'),
    tenant: id('t'),
    application: id('app'),
    models: null,
    slo: 'standard',
    expires_ms: null,
  }
  const asked = { promptEstimate: tokens(5), maxOutput: tokens(10), clientRetry: 0, body: undefined }
  const snapshot: Snapshot = {
    number: 7,
    published_ms: 0,
    grants: new Map(),
    prices,
    allowances: indexed([]),
    energyPerToken_mj: new Map(),
    aliases: new Map(),
    replicas: [
      {
        ...{ id: id('a'), vendor: 'openai', models: { [model]: 'up' }, concurrency: 2, draining: false },
        ...(site && { site }),
      },
    ],
    gateways: 1,
  }
  const flow = newFlow(id<RequestId>('gw-1'), { ...asked, grant, model, stream, slo }, snapshot, seconds(at))
  step(flow, { kind: 'asked' }, seconds(at))
  for (const count of stream ? [1, 1, 1] : [3])
    step(flow, { kind: 'chunk', attempt: 1, tokens: tokens(count), bytes: 'x' }, seconds(at))
  step(flow, { kind: 'ended', attempt: 1, usage }, seconds(ends))
  step(flow, { kind: 'journaled', row: 'close' }, seconds(ends))
  const close = rows.find((row) => row.kind === 'close')
  assert(close?.kind === 'close', `${model} was not served`)
  return close
}

const usage = usageFrom('provider', {
  input_uncached: 12_345,
  cache_read: 6_789,
  cache_write: 1_001,
  output_visible: 777,
  reasoning: 333,
})

const versionsOf = (prices: ReturnType<typeof readPriceTable>['prices'], from_ms = 0, first = 1): PriceVersion[] =>
  prices.map(({ model, ...one }, index) => ({
    ...one,
    version: first + index,
    model: id(model),
    effective_from_ms: from_ms,
    note: '',
  }))

/** Tokens × dollars per token as its decimal text says, half up to a nano-dollar: by hand, and not by the code under test. */
function byHand(count: number, text: string): bigint {
  const [, whole = '', fraction = '', exponent = '0'] = /^(\d+)(?:\.(\d+))?(?:e(-?\d+))?$/.exec(text) ?? []
  const power = Number(exponent) - fraction.length + 9
  const product = BigInt(whole + fraction) * BigInt(count)
  if (power >= 0) return product * 10n ** BigInt(power)
  const unit = 10n ** BigInt(-power)
  return (2n * product + unit) / (2n * unit)
}

test('streamed price = non-streamed price = re-rated price, for every model of the price table', (context) => {
  if (!existsSync(table)) return context.skip(`${table} is not there`)
  const text = readFileSync(table, 'utf8')
  const { prices } = readPriceTable(text, () => true)
  const source = /"(input|output)_cost_per_token":([^,}]+)/g
  const raw = JSON.parse(text.replace(source, '"$1_cost_per_token":"$2"')) as Record<string, Record<string, string>>
  const versions = versionsOf(prices)
  const again = otherwise(prices)
  const models = new Set(prices.map(({ model }) => model))
  assert(models.size > 2300, `${models.size} models`)
  for (const version of versions) {
    const { model, slo = 'standard' } = version
    const one = { model, slo, usage, at: 10, ends: 20 }
    const rows = [true, false].map((stream) => served(versions, { ...one, stream }))
    const costs = rows.map((row) => {
      assert.equal(row.price_version, version.version, `${model} ${slo}`)
      const cost = costOf(row, version)
      const posted = post(row, version).filter(({ unit }) => unit === 'nano-USD')
      assert.equal(
        posted.reduce((sum, { amount }) => sum + amount, 0n),
        cost,
        model,
      )
      const statement = new StatementBuilder('t', 0, 60_000)
      statement.add(row, version)
      assert.equal(statement.done().total_usd, formatDollars(cost), model)
      assert.equal(costOf(row, again(row, { ...version, perMillion: {} as PriceVersion['perMillion'] })), cost, model)
      return cost
    })
    assert.equal(costs[0], costs[1], model)
    if (version.slo) continue
    const [input = '', output = '0'] = [raw[model]?.input_cost_per_token, raw[model]?.output_cost_per_token]
    const row = rows[0]
    assert(row)
    const charged = (of: string): bigint =>
      post(row, version).find(({ id: name }) => name.endsWith(`/nano-USD/${of}`))?.amount ?? 0n
    assert.equal(charged('input_uncached'), byHand(12_345, input), model)
    assert.equal(charged('output_visible'), byHand(777, output), model)
  }
})

test('at a site with a price of its own as well, for every model: streamed = non-streamed = re-rated, and elsewhere as ever', (context) => {
  if (!existsSync(table)) return context.skip(`${table} is not there`)
  const { prices } = readPriceTable(readFileSync(table, 'utf8'), () => true)
  const usual = versionsOf(prices)
  const site = id<SiteId>('eu-north')
  const dearer = prices.map(({ perMillion, ...one }) => ({
    ...one,
    perMillion: priceList(price(perMillion.input_uncached * 3n), price(perMillion.output_visible * 2n + 1n)),
  }))
  const all = [...usual, ...versionsOf(dearer, 0, 100_001).map((version) => ({ ...version, site }))]
  const [atSite, elsewhere] = [otherwise(dearer, site), otherwise(dearer, id('us-west'))]
  for (const [index, { model, slo = 'standard', version }] of usual.entries()) {
    const one = { model, slo, usage, at: 10, ends: 20 }
    assert.equal(served(all, { ...one, stream: true }).price_version, version, `${model} ${slo}`)
    const own = all[usual.length + index]
    const rows = [true, false].map((stream) => served(all, { ...one, stream, site }))
    const costs = rows.map((row) => {
      assert.deepEqual([row.price_version, siteOf(row)], [own?.version, site], `${model} ${slo}`)
      const statement = new StatementBuilder('t', 0, 60_000)
      statement.add(row, own)
      const cost = costOf(row, own)
      assert.equal(statement.done().total_usd, formatDollars(cost), model)
      assert.equal(costOf(row, atSite(row, usual[index])), cost, model)
      assert.equal(costOf(row, elsewhere(row, own)), cost, 'other prices elsewhere are none here')
      return cost
    })
    assert.equal(costs[0], costs[1], model)
  }
})

/** The changes between two dated tables, of the fields that tables here take. */
function changed(column: 2 | 3) {
  const entries: Record<string, Record<string, string>> = {}
  for (const line of readFileSync(changes, 'utf8').trim().split('\n').slice(1)) {
    const cells = line.trim().split(',')
    const [model = '', field = ''] = cells
    const value = cells[column]
    if (value) entries[model] = { ...entries[model], [field]: value }
  }
  return readPriceTable(JSON.stringify(entries), () => true).prices
}

test('a price that changes in mid-period: each request keeps the one it was admitted under', (context) => {
  if (!existsSync(changes)) return context.skip(`${changes} is not there`)
  const noon_ms = 43_200_000
  const [before, after] = [versionsOf(changed(2)), versionsOf(changed(3), noon_ms, 1000)]
  const versions = [...before, ...after]
  let replayed = 0
  for (const old of before) {
    const next = after.find(({ model, slo }) => model === old.model && slo === old.slo)
    if (!next) continue
    replayed++
    const one = { model: old.model, slo: old.slo ?? ('standard' as const), stream: true, usage }
    const under = (at: number, ends: number): number | null => served(versions, { ...one, at, ends }).price_version
    assert.equal(under(noon_ms / 1000 - 10, noon_ms / 1000 - 5), old.version, old.model)
    assert.equal(under(noon_ms / 1000 - 1, noon_ms / 1000 + 60), old.version, `${old.model}: changed in mid-stream`)
    assert.equal(under(noon_ms / 1000, noon_ms / 1000 + 60), next.version, old.model)
    assert(tokenClasses.some((of) => old.perMillion[of] !== next.perMillion[of]))
  }
  assert(replayed >= 8, `${replayed} models and classes changed their price`)
})
