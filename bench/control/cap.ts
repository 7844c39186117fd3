/**
 * B4: power held at 60 to 100 % of nameplate, against capping in proportion and fewer replicas, on the same arrivals in the twin
 * (simulated; boards of two kinds, whose power no policy knows but by its meters).
 *
 * Bar: no second above a limit, beyond the half minute after it falls; revenue per MWh at least that of the others at every cap that
 * binds, and more on the mean.
 */

import type { PlantView } from '../../src/control/cap/cap.ts'
import type { CapDecision, Setting } from '../../src/control/cap/decision.ts'
import { limitAt } from '../../src/control/cap/limit.ts'
import { concurrencyOf, type Load } from '../../src/control/cap/load.ts'
import type { CapPolicy } from '../../src/twin/factory/cap.ts'
import type { Report } from '../../src/twin/report.ts'
import { runTwin } from '../../src/twin/run.ts'
import { readScenario } from '../../src/twin/scenario-read.ts'
import { watts } from '../../src/units/quantity.ts'

const shares = [0.6, 0.7, 0.8, 0.9, 1] as const
const seeds = [1, 2, 3] as const
const price = { input: 0.1, output: 0.4 }
const model = 'meta-llama/Llama-3.1-8B'
/** Four boards of each kind. */
const nameplate_w = 4 * 700 + 4 * 400

const scenario = (share: number, devices: boolean, seed: number) => {
  const pool = (name: string, chip: string, most: number) => ({
    name,
    replicas: 4,
    model,
    chip,
    concurrency: 32,
    price_usd_per_million: price,
    ...(devices && { power_limit_w: { least: Math.round(0.3 * most), most } }),
  })
  return readScenario({
    name: `${share} of nameplate`,
    seed,
    gateways: 2,
    gateway: { queue_s: 600, queue_length: 100_000 },
    pools: [pool('h100', 'h100-sxm', 700), pool('a100', 'a100-80', 400)],
    clients: [
      { tenant: 'people', slo: 'interactive', share: 4, max_tokens: 'answer' },
      { tenant: 'programs', slo: 'standard', share: 3, max_tokens: 'answer' },
      { tenant: 'nights', slo: 'batch', share: 3, max_tokens: 'answer' },
    ],
    workload: {
      per_second: 26,
      burst: 2,
      seconds: 300,
      prompt: { median: 1500, spread: 0.8, most: 12_000 },
      answer: { median: 250, spread: 0.6, most: 1500 },
    },
    power: { limit_w: Math.round(share * nameplate_w) },
  })
}

type Settle = (load: Load, budget_w: number) => Pick<Setting, 'engines' | 'power'>

const allowed = ({ limits: [limit], now_ms }: PlantView): number => (limit ? limitAt(limit, now_ms) - limit.other : 0)
const places = (load: Load, requests: number): Setting['engines'] =>
  new Map(load.engines.map(({ name }) => [name, Math.max(0, Math.min(concurrencyOf(load), Math.floor(requests)))]))
const decided = (view: PlantView, settings: readonly Setting[]): CapDecision => ({
  at_ms: view.now_ms,
  limits: [],
  settings,
  held: [],
  alarms: [],
})

/** Every board the same part of its nameplate: by its own limit, else by as many requests as that part of its active power. */
const proportional = (): CapPolicy => {
  const settle: Settle = (load, budget_w) => {
    if (load.limiter) return { engines: places(load, concurrencyOf(load)), power: watts(Math.floor(budget_w)) }
    const part = (budget_w - load.idle) / Math.max(1, (load.full ?? 0) - load.idle)
    return { engines: places(load, part * concurrencyOf(load)), power: null }
  }
  return {
    decide: (view) => {
      const all = view.loads.reduce((sum, { full }) => sum + (full ?? 0), 0)
      const part = Math.min(1, allowed(view) / all)
      return decided(
        view,
        view.loads.map((load) => ({ load: load.name, ...settle(load, part * (load.full ?? 0)) })),
      )
    },
  }
}

/** As many replicas as fit at their nameplate, in their order; the others rest. What planners that clamp replica counts do. */
const clamping = (): CapPolicy => ({
  decide: (view) => {
    let left = allowed(view) - view.loads.reduce((sum, { idle }) => sum + idle, 0)
    return decided(
      view,
      view.loads.map((load) => {
        const needs = (load.full ?? 0) - load.idle
        const runs = needs <= left
        if (runs) left -= needs
        return { load: load.name, engines: places(load, runs ? concurrencyOf(load) : 0), power: null }
      }),
    )
  },
})

const policies: Readonly<Record<string, (() => CapPolicy) | undefined>> = {
  'what earns most': undefined,
  'in proportion': proportional,
  'fewer replicas': clamping,
}

interface Row {
  readonly boards: string
  readonly cap: number
  readonly policy: string
  readonly usdPerMwh: number
  readonly usd: number
  readonly over_s: number
  readonly interactive: number
  readonly served: number
}

function row(boards: string, cap: number, policy: string, reports: readonly Report[]): Row {
  const mean = (of: (report: Report) => number): number =>
    reports.reduce((sum, report) => sum + of(report), 0) / reports.length
  const usd = (report: Report): number => Number(report.money.revenue_usd)
  return {
    boards,
    cap,
    policy,
    usdPerMwh: mean((report) => usd(report) / ((report.energy?.chips_kwh ?? 0) / 1000)),
    usd: mean(usd),
    over_s: reports.reduce((sum, { power }) => sum + (power?.steady_over_s ?? 0), 0),
    interactive: mean(({ classes }) => classes.interactive?.good_share ?? 0),
    served: mean(({ outcomes, requests }) => (outcomes.complete ?? 0) / requests),
  }
}

export function cap(): boolean {
  console.log(`\nB4, power caps: 4 H100 and 4 A100 (${nameplate_w} W), ${seeds.length} seeds, simulated`)
  const rows = [false, true].flatMap((devices) =>
    shares.flatMap((share) =>
      Object.entries(policies).map(([name, capPolicyOf]) => {
        const reports = seeds.map((seed) =>
          runTwin(scenario(share, devices, seed), [], capPolicyOf ? { capPolicyOf } : {}),
        )
        return row(devices ? 'may be held' : 'by admission', share, name, reports)
      }),
    ),
  )
  console.table(
    rows.map(({ boards, cap: of, policy, usdPerMwh, usd, over_s, interactive, served }) => ({
      boards,
      cap: `${Math.round(100 * of)} %`,
      policy,
      '$/MWh': usdPerMwh.toFixed(0),
      $: usd.toFixed(3),
      'over, s': over_s,
      'interactive in time': `${(100 * interactive).toFixed(1)} %`,
      served: `${(100 * served).toFixed(1)} %`,
    })),
  )
  const ours = rows.filter(({ policy }) => policy === 'what earns most')
  const best = ({ boards, cap: of }: Row): number =>
    Math.max(
      ...rows
        .filter(
          (one) => one.boards === boards && one.cap === of && one.policy !== 'what earns most' && one.over_s === 0,
        )
        .map(({ usdPerMwh }) => usdPerMwh),
    )
  const binding = ours.filter(({ cap: of }) => of < 1)
  const lost = binding.filter((one) => one.usdPerMwh < best(one))
  const gain = binding.reduce((sum, one) => sum + one.usdPerMwh / best(one) - 1, 0) / binding.length
  const over = ours.reduce((sum, { over_s }) => sum + over_s, 0)
  console.log(
    `seconds above a limit: ${over}; revenue per MWh ${(100 * gain).toFixed(1)} % above the best other that kept its limit, on the mean of caps that bind`,
  )
  for (const one of lost)
    console.log(`lost: ${one.boards}, ${100 * one.cap} %: ${one.usdPerMwh.toFixed(0)} of ${best(one).toFixed(0)} $/MWh`)
  return over === 0 && lost.length === 0 && gain > 0
}
