import type { MetricName } from '../../adapters/prometheus/metrics.ts'
import { partsOf } from '../../adapters/prometheus/recorder.ts'
import { merged, type Reading } from '../../adapters/prometheus/text.ts'
import type { Totals } from '../../adapters/prometheus/totals.ts'
import { meterHealth } from '../../adapters/sqlite/attribution.ts'
import { type AccountFigure, accountFigures, lastInterval, residuals } from '../../adapters/sqlite/figures.ts'
import { count } from '../../adapters/sqlite/ledger.ts'
import { qualitySince } from '../../adapters/sqlite/meter-quality.ts'
import { servedModels } from '../../adapters/sqlite/registry/engines.ts'
import { costSpans, enginesByMeter } from '../../adapters/sqlite/registry/meters.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import type { Backlog } from '../../books/backlog.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import { declaredCost, type PerToken } from '../../books/economics.ts'
import type { Room } from '../../books/room.ts'
import { engineCounters } from '../../plant/infrastructure/telemetry.ts'
import { enginesNow } from './engines-now.ts'
import type { Factory, Live } from './factory.ts'
import type { GatewayState } from './gateways.ts'
import { storeReads } from './store-reads.ts'
import type { Telemetry } from './telemetry.ts'
import { version } from './version.ts'

/** All that `/metrics` shows, read now. */
export function readings(factory: Factory, live: Live): Reading[] {
  const { store } = factory
  const read = storeReads(factory)
  const known = (readings: () => Reading[]): Reading[] => read(readings) ?? []
  return merged([
    ...counted(live.totals),
    reading('wattmill_info', [version], 1),
    ...gatewayReadings(live.gateways.list(), read(() => [...servedModels(store).keys()]) ?? []),
    ...known(() => allBookReadings(store)),
    ...known(() => lagReadings(store, live)),
    ...backlogReadings(live.keeper.backlog()),
    ...roomReadings(live.room.room),
    ...known(() => meterReadings(store, live, factory.now())),
    ...telemetryReadings(live.telemetry, factory.now()),
    ...known(() => economicReadings(factory, live)),
  ])
}

function allBookReadings(store: Store): Reading[] {
  const byMeter = enginesByMeter(store)
  return [
    ...bookReadings(accountFigures(store), (meter) => ({
      grade: lastInterval(store.database, meter)?.grade ?? 'unknown',
      engines: byMeter.get(meter) ?? [],
    })),
    ...[...residuals(store)].map(([unit, amount]) => reading('wattmill_books_residual', [unit], Number(amount))),
  ]
}

const reading = (name: MetricName, values: readonly string[], value: number): Reading => ({ name, values, value })

const counted = ({ counts }: Totals): Reading[] =>
  [...counts].flatMap(([key, value]) => {
    const parts = partsOf(key)
    return parts ? [{ ...parts, value }] : []
  })

function gatewayReadings(gateways: readonly GatewayState[], served: readonly string[]): Reading[] {
  const ready = gateways.filter((gateway) => gateway.ready).length
  const models = sumBy(
    gateways.flatMap((gateway) => gateway.models),
    ({ model }) => model,
  )
  const engines = sumBy(
    gateways.flatMap((gateway) => gateway.replicas),
    ({ id }) => id,
  )
  const sum = (of: (gateway: GatewayState) => number): number => gateways.reduce((total, each) => total + of(each), 0)
  return [
    reading('wattmill_gateways', ['yes'], ready),
    reading('wattmill_gateways', ['no'], gateways.length - ready),
    ...[...new Set([...served, ...models.keys()])].flatMap((model) => [
      reading('wattmill_requests_running', [model], total(models.get(model) ?? [], 'running')),
      reading('wattmill_requests_waiting', [model], total(models.get(model) ?? [], 'waiting')),
    ]),
    ...[...engines].flatMap(([engine, views]) => [
      reading('wattmill_engine_up', [engine], views.some(({ up }) => up) ? 1 : 0),
      reading('wattmill_engine_requests_running', [engine], total(views, 'running')),
    ]),
    reading(
      'wattmill_journal_rows',
      [],
      sum(({ journal_depth }) => journal_depth),
    ),
    reading('wattmill_journal_up', [], gateways.every(({ journal_up }) => journal_up) ? 1 : 0),
    reading('wattmill_gateway_peers', [], gateways.length === 0 ? 0 : Math.min(...gateways.map(({ peers }) => peers))),
  ]
}

const sumBy = <T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> => Map.groupBy(items, key)

const total = <K extends string>(items: readonly { readonly [k in K]: number }[], key: K): number =>
  items.reduce((sum, item) => sum + item[key], 0)

/** What accounts hold, by the family of the account: revenue is negative there, since it flows out of its account. */
function bookReadings(figures: readonly AccountFigure[], meterOf: (name: string) => MeterFacts): Reading[] {
  return figures.flatMap(({ unit, path: [family = '', first = '', second = '', third], amount }) => {
    const dollars = Math.abs(amount) / 1e9
    const joules = Math.abs(amount) / 1e3
    switch (`${unit} ${family}`) {
      case 'nano-USD revenue':
        return reading(
          'wattmill_revenue_dollars_total',
          [first, third === undefined ? second : `${second}/${third}`],
          dollars,
        )
      case 'nano-USD refund':
        return reading('wattmill_refunds_dollars_total', [first, second], dollars)
      case 'nano-USD tenant':
        return reading('wattmill_tenant_revenue_dollars_total', [first, second], dollars)
      case 'mJ tenant':
        return [
          reading('wattmill_tenant_energy_joules_total', [first, second], joules),
          reading('wattmill_energy_use_joules_total', ['served', ''], joules),
        ]
      case 'mJ meter':
        return meterReading(first, meterOf(first), joules)
      case 'mJ waste':
      case 'mJ idle':
      case 'mJ overhead':
        return reading('wattmill_energy_use_joules_total', [family, first], joules)
      case 'token waste':
        return reading('wattmill_waste_tokens_total', [first], amount)
      default:
        return []
    }
  })
}

interface MeterFacts {
  readonly grade: string
  /** Engines that it was given to; none: it is one of the machine's own. */
  readonly engines: readonly string[]
}

const meterReading = (meter: string, { grade, engines }: MeterFacts, joules: number): Reading =>
  reading('wattmill_energy_joules_total', [meter, engines.join(','), grade], joules)

function lagReadings({ database }: Store, { keeper }: Live): Reading[] {
  const lag = keeper.lag()
  return [
    reading('wattmill_books_lag_seconds', ['tokens'], lag.behind_s),
    reading('wattmill_books_lag_seconds', ['energy'], lag.energy_behind_s),
    reading('wattmill_books_open_requests', [], lag.open_requests),
    reading('wattmill_books_open_intervals', [], lag.open_intervals),
    reading('wattmill_books_quarantined', [], count(database, 'select count(*) as n from quarantine')),
  ]
}

const backlogReadings = (backlog: Backlog | null): Reading[] => [
  reading('wattmill_books_stopped', [], backlog ? 1 : 0),
  reading('wattmill_books_stopped_seconds', [], backlog?.age_s ?? 0),
  reading('wattmill_backlog_rows', [], backlog?.journal_rows ?? 0),
]

const roomReadings = (room: Room): Reading[] => [
  reading('wattmill_journal_bytes', ['journal'], room.journal_bytes),
  reading('wattmill_journal_bytes', ['engine_log'], room.engine_log_bytes),
  reading('wattmill_journal_limit_bytes', [], room.most_bytes),
  reading('wattmill_journal_room_used_ratio', [], room.used),
  ...(room.free_bytes === null ? [] : [reading('wattmill_disk_free_bytes', [], room.free_bytes)]),
]

function meterReadings({ database }: Store, { keeper }: Live, now: number): Reading[] {
  return keeper.meters().names.flatMap((meter) => {
    const last = lastInterval(database, meter)
    const { residual_factor } = meterHealth({ database }, meter)
    const { coverage } = qualitySince({ database }, meter, now - hour_ms, now)
    return [
      ...(last ? [reading('wattmill_meter_age_seconds', [meter], (now - last.to_ms) / 1000)] : []),
      ...(coverage === null ? [] : [reading('wattmill_meter_coverage_ratio', [meter], coverage)]),
      ...(residual_factor === null ? [] : [reading('wattmill_attribution_residual_factor', [meter], residual_factor)]),
    ]
  })
}

/** What is stale is left out: an old figure under a new time would be taken for now. */
function telemetryReadings({ engines, watches }: Telemetry, now: number): Reading[] {
  const known = (name: MetricName, engine: string, value: number | undefined): Reading[] =>
    value === undefined ? [] : [reading(name, [engine], value)]
  const views = [...engines].flatMap(([engine, { watch, report, counters }]) => [
    ...(watch.stale
      ? []
      : [
          ...known('wattmill_engine_reported_running', engine, report.running),
          ...known('wattmill_engine_reported_waiting', engine, report.waiting),
          ...known('wattmill_engine_kv_cache_usage_ratio', engine, report.kv_usage),
        ]),
    ...engineCounters.flatMap((kind) => {
      const total = counters.total(kind)
      return total === undefined ? [] : reading('wattmill_engine_reported_total', [engine, kind], total)
    }),
  ])
  const sources = [...watches].flatMap(([source, { seen_ms, failures }]) => [
    ...(seen_ms === undefined ? [] : [reading('wattmill_scrape_age_seconds', [source], (now - seen_ms) / 1000)]),
    reading('wattmill_scrape_failures_total', [source], failures),
  ])
  return [...views, ...sources]
}

function economicReadings(factory: Factory, live: Live): Reading[] {
  const { engines, margin_usd_per_h, at_ms } = enginesNow(factory, live)
  const known = (name: MetricName, values: readonly string[], value: number | null): Reading[] =>
    value === null ? [] : [reading(name, values, value)]
  const per = (name: MetricName, engine: string, { output, all }: PerToken, ...more: string[]): Reading[] => [
    ...known(name, [engine, 'output', ...more], output),
    ...known(name, [engine, 'all', ...more], all),
  ]
  return [
    ...engines.flatMap((one) => [
      reading('wattmill_tokens_per_second', [one.engine, 'input'], one.input_tokens_per_s),
      reading('wattmill_tokens_per_second', [one.engine, 'output'], one.output_tokens_per_s),
      ...per('wattmill_cost_dollars_per_million_tokens', one.engine, one.usd_per_mtoken),
      ...per('wattmill_joules_per_token', one.engine, one.j_per_token, one.energy_grade ?? ''),
      ...known('wattmill_power_watts', [one.engine, one.energy_grade ?? ''], one.power_w),
    ]),
    ...costSpans(factory.store).map((span) =>
      reading('wattmill_engine_cost_dollars_total', [span.engine], declaredCost([span], span.from_ms, at_ms)),
    ),
    ...known('wattmill_margin_dollars_per_hour', [], margin_usd_per_h),
  ]
}
