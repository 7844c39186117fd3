/** The live store under a simulated day: what gateways journal and meters show goes in as it would, and the answers are compared. */
import type { Home } from '../../src/adapters/files/home.ts'
import { statement } from '../../src/adapters/sqlite/answers.ts'
import { check } from '../../src/adapters/sqlite/check.ts'
import { closeIntervals } from '../../src/adapters/sqlite/close-intervals.ts'
import { costs } from '../../src/adapters/sqlite/costs/answer.ts'
import { closeHours } from '../../src/adapters/sqlite/costs/close-hours.ts'
import { declare } from '../../src/adapters/sqlite/costs/declarations.ts'
import { focusRows } from '../../src/adapters/sqlite/focus.ts'
import { ingestJournal, journalReadTo } from '../../src/adapters/sqlite/ingest.ts'
import { insertInterval } from '../../src/adapters/sqlite/intervals.ts'
import { stream } from '../../src/adapters/sqlite/query.ts'
import { addEngine } from '../../src/adapters/sqlite/registry/engines.ts'
import { setPrice } from '../../src/adapters/sqlite/registry/prices.ts'
import { openStore, type Store } from '../../src/adapters/sqlite/store.ts'
import { journaled } from '../../src/adapters/sqlite/testing.ts'
import type { CostDeclaration } from '../../src/books/cost.ts'
import type { CloseRow, OpenRow } from '../../src/books/row.ts'
import { TwinRun } from '../../src/twin/run.ts'
import type { Scenario } from '../../src/twin/scenario.ts'
import type { Traced } from '../../src/twin/workload/mooncake.ts'
import { formatDollars, millijoules, nanoDollars, parseDecimal } from '../../src/units/amount.ts'
import type { TenantId } from '../../src/units/ids.ts'
import { id } from '../../src/units/ids.ts'

const hour_ms = 3_600_000
const batch = 1000
/** Dearer by day; nano-dollars a kWh. */
const tariff = { usual: 60_000_000n, rules: [{ hours: [8, 20] as const, value: 110_000_000n }] }
const pue_ppm = 1_250_000n
const staffPerHour = nanoDollars(1_500_000_000n)

export class Day {
  readonly #store: Store
  readonly #scenario: Scenario
  readonly #hours: number
  readonly #tell: (line: string) => void
  #rows: (OpenRow | CloseRow)[] = []
  #seq = 0
  #requests = 0
  readonly #drawn = new Map<string, { mj: bigint; at_ms: number; sequence: number }>()

  constructor(home: Home, scenario: Scenario, hours: number, tell: (line: string) => void) {
    this.#store = openStore(home)
    this.#scenario = scenario
    this.#hours = hours
    this.#tell = tell
  }

  close(): void {
    this.#store.close()
  }

  live(day: Iterable<Traced>): void {
    const { start_ms } = this.#scenario
    const run = new TwinRun(this.#scenario, day, {
      onRow: (row) => this.#row(row),
      onMeter: (replica, drawn_j, at_ms) => this.#meter(replica, BigInt(Math.round(drawn_j * 1000)), at_ms),
    })
    for (const { version: _, ...price } of run.prices) setPrice(this.#store, { ...price, effective_from_ms: 0 })
    this.#engines()
    run.run()
    this.#ship()
    this.#keep(start_ms + (this.#hours + 2) * hour_ms)
  }

  /** What was said of the money, the energy and their sums, and where two of them differ. */
  compare(): { readonly said: string[]; readonly wrong: string[] } {
    const { start_ms } = this.#scenario
    const [from_ms, to_ms] = [start_ms, start_ms + (this.#hours + 1) * hour_ms]
    const span = { from: from_ms / hour_ms, to: to_ms / hour_ms, by: 'hour', provider: 'Wattmill' } as const
    const tenants = [...new Set(this.#scenario.clients.map(({ tenant }) => tenant))]
    const made = tenants.map((tenant) => statement(this.#store, id<TenantId>(tenant), from_ms, to_ms))
    const stated = sum(made.map(({ total_usd }) => exact(total_usd, 9)))
    const statedEnergy = sum(made.flatMap(({ energy }) => energy.map(({ energy_mj }) => BigInt(energy_mj))))

    let [focused, focusedEnergy] = [0n, 0n]
    for (const row of focusRows(this.#store, { ...span, tenant: undefined })) {
      focused += exact(row.BilledCost ?? '0', 9)
      focusedEnergy += BigInt(row.x_EnergyMillijoules ?? '0')
    }
    const owed =
      this.#transfers('nano-USD', "debit like 'tenant/%'") - this.#transfers('nano-USD', "debit like 'refund/%'")
    const pnl = costs(this.#store, span.from, span.to, 'tenant')

    const metered = sum([...this.#drawn.values()].map(({ mj }) => mj))
    const from_meters = this.#transfers('mJ', "debit like 'meter/%'")
    const [toTenants, wasted, idle] = ["'tenant/%'", "'waste/%'", "'idle/%'"].map((like) =>
      this.#transfers('mJ', `debit like 'meter/%' and credit like ${like}`),
    ) as [bigint, bigint, bigint]

    const capacity =
      sum(this.#scenario.pools.map(({ replicas, usdPerHour }) => BigInt(Math.round(replicas * usdPerHour * 1e9)))) *
      BigInt(this.#hours + 1)
    const staff = staffPerHour * BigInt(this.#hours + 1)
    const electricity = this.#electricity()
    const total = exact(pnl.total_usd, 9)
    const parts = ['usage_usd', 'waste_usd', 'idle_usd', 'overhead_usd', 'making_usd'] as const
    const audit = check(this.#store)

    const pairs: readonly (readonly [string, bigint, bigint])[] = [
      ['statements and ledger, nano-USD', stated, owed],
      ['FOCUS and statements, nano-USD', focused, stated],
      ['P&L and ledger: revenue, nano-USD', BigInt(Math.round((pnl.figures.revenue_usd.value ?? 0) * 1e9)), owed],
      ['P&L: parts and total, nano-USD', sum(parts.map((part) => exact(pnl[part], 9))), total],
      ['P&L: total, and what was declared and metered, nano-USD', total, capacity + staff + electricity],
      ['meters and ledger, mJ', metered, from_meters],
      ['tenants + waste + idle and meters, mJ', toTenants + wasted + idle, metered],
      ['statements and ledger: energy, mJ', statedEnergy, toTenants],
      ['FOCUS and statements: energy, mJ', focusedEnergy, statedEnergy],
    ]
    const kwh = (mj: bigint): string => (Number(mj) / 3.6e9).toFixed(3)
    const usd = (nano: bigint): string => formatDollars(nanoDollars(nano))
    return {
      said: [
        `${this.#requests} requests in ${this.#hours} hours (simulated): revenue $${usd(stated)}, cost $${usd(total)}`,
        `  cost: usage $${pnl.usage_usd}, waste $${pnl.waste_usd}, idle $${pnl.idle_usd}, overhead $${pnl.overhead_usd}`,
        `  meters: ${kwh(metered)} kWh = tenants ${kwh(toTenants)} + waste ${kwh(wasted)} + idle ${kwh(idle)}`,
        ...pairs.map(([what, a, b]) => `  ${a === b ? 'the same' : 'DIFFERENT'}: ${what}: ${a}`),
        `  books conserved: ${audit.conserved}`,
      ],
      wrong: [
        ...pairs.flatMap(([what, a, b]) => (a === b ? [] : `${what}: ${a} and ${b}`)),
        ...(audit.conserved ? [] : [`the check found ${JSON.stringify(audit.first_broken)}`]),
        ...(stated > 0n && statedEnergy > 0n ? [] : ['nothing was earned or drawn']),
      ],
    }
  }

  #engines(): void {
    const { start_ms, pools } = this.#scenario
    const say = (of: Pick<CostDeclaration, 'kind' | 'name' | 'terms'>): void =>
      void declare(this.#store, { ...of, from_ms: start_ms, note: '' }, start_ms)
    for (const { name: pool, replicas, model, usdPerHour } of pools)
      for (let at = 1; at <= replicas; at++) {
        const name = `${pool}-${at}`
        const meters = [{ name: `board-${name}`, source: { kind: 'watts' as const, idle: 0, full: 0 } }]
        addEngine(
          this.#store,
          {
            name,
            vendor: 'openai',
            product: 'vllm',
            url: 'http://127.0.0.1:1',
            key_from: null,
            metrics_url: null,
            chips: null,
            concurrency: 64,
            models: { [model]: model },
            created_ms: start_ms,
          },
          { meters, costPerHour: undefined },
        )
        const amount = nanoDollars(BigInt(Math.round(usdPerHour * 1e9)))
        say({ kind: 'capacity', name, terms: { per: 'hour', amount } })
      }
    say({ kind: 'tariff', name: 'all', terms: { per: 'time', series: tariff } })
    say({ kind: 'pue', name: 'all', terms: { per: 'time', series: { usual: pue_ppm } } })
    say({ kind: 'staff', name: 'nights', terms: { per: 'hour', amount: staffPerHour } })
  }

  #row(row: OpenRow | CloseRow): void {
    if (row.kind === 'close') this.#requests++
    this.#rows.push(row)
    if (this.#rows.length >= batch) this.#ship()
  }

  #ship(): void {
    ingestJournal(this.#store, id('g0'), journaled(this.#rows, this.#seq + 1))
    this.#seq += this.#rows.length
    this.#rows = []
  }

  #meter(replica: string, mj: bigint, at_ms: number): void {
    const meter = `board-${replica}`
    const before = this.#drawn.get(meter) ?? { mj: 0n, at_ms: this.#scenario.start_ms, sequence: 0 }
    if (at_ms <= before.at_ms) return
    const sequence = before.sequence + 1
    const seconds = (at_ms - before.at_ms) / 1000
    const energy = millijoules(mj - before.mj)
    const floor = millijoules(BigInt(Math.round(70_000 * seconds)))
    insertInterval(this.#store, {
      meter,
      sequence,
      from_ms: before.at_ms,
      to_ms: at_ms,
      energy,
      idle: floor < energy ? floor : energy,
      grade: 'simulated',
      reset: false,
    })
    this.#drawn.set(meter, { mj, at_ms, sequence })
    if (sequence % 360 === 0 && replica.endsWith('-1')) {
      this.#tell(`${sequence / 360} h simulated, ${this.#requests} requests`)
      this.#ship()
      this.#keep(at_ms)
    }
  }

  /** The keeper's turns, up to a moment before which everything has been read. */
  #keep(now_ms: number): void {
    journalReadTo(this.#store, id('g0'), now_ms)
    while (closeIntervals(this.#store, now_ms));
    while (closeHours(this.#store, now_ms));
  }

  #transfers(unit: string, where: string): bigint {
    let all = 0n
    const find = `select amount from transfer where unit = ? and ${where}`
    for (const { amount } of stream<{ amount: bigint }>(this.#store.database, find, unit)) all += amount
    return all
  }

  /** Worked out again from the meters: by meter and hour, rounded once. */
  #electricity(): bigint {
    const hourly = new Map<string, bigint>()
    for (const { meter, to_ms, energy_mj } of stream<{ meter: string; to_ms: bigint; energy_mj: bigint }>(
      this.#store.database,
      'select meter, to_ms, energy_mj from meter_interval',
    )) {
      const hour = (to_ms - 1n) / BigInt(hour_ms)
      const name = `${meter} ${hour}`
      hourly.set(name, (hourly.get(name) ?? 0n) + energy_mj)
    }
    return sum(
      [...hourly].map(([name, mj]) => {
        const hour = BigInt(name.split(' ')[1] ?? '0') % 24n
        const price = hour >= 8n && hour < 20n ? 110_000_000n : tariff.usual
        const whole = 3_600_000_000n * 1_000_000n
        return (2n * mj * price * pue_ppm + whole) / (2n * whole)
      }),
    )
  }
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, one) => all + one, 0n)

function exact(text: string, places: number): bigint {
  const value = parseDecimal(text, places)
  if (value === undefined) throw new Error(`${text} is no amount`)
  return value
}
