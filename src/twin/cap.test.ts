import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CapDecision } from '../control/cap/decision.ts'
import { runTwin } from './run.ts'
import { readScenario } from './scenario-read.ts'

/** Four boards under full load, and a time in which they may draw 60 % of what they can. */
const demandResponse = (more: {
  readonly devices?: boolean
  readonly notice_s?: number
  readonly faults?: unknown[]
}) =>
  readScenario({
    name: 'demand response',
    seed: 3,
    gateways: 2,
    gateway: { queue_s: 600, queue_length: 20_000 },
    pools: [
      {
        name: 'h100',
        replicas: 4,
        model: 'meta-llama/Llama-3.1-8B',
        chip: 'h100-sxm',
        concurrency: 32,
        price_usd_per_million: { input: 0.1, output: 0.4 },
        ...(more.devices && { power_limit_w: { least: 200, most: 700 } }),
      },
    ],
    clients: [
      { tenant: 'people', slo: 'interactive', share: 3, max_tokens: 'answer' },
      { tenant: 'nights', slo: 'batch', share: 3, max_tokens: 'answer' },
    ],
    workload: {
      per_second: 20,
      seconds: 170,
      prompt: { median: 1500, spread: 0.7, most: 8000 },
      answer: { median: 250, spread: 0.5, most: 1000 },
    },
    power: {
      limit_w: 2800,
      events: [{ at_s: 80, for_s: 60, limit_w: 1680, notice_s: more.notice_s ?? 3600 }],
    },
    ...(more.faults && { faults: more.faults }),
  })

const cases = {
  'by admission': {},
  'by devices': { devices: true },
  'with a meter that falls silent': { faults: [{ kind: 'silent', replica: 'h100-1', at_s: 60, for_s: 70 }] },
  'with a device that hears nothing': {
    devices: true,
    faults: [{ kind: 'deaf', replica: 'h100-4', at_s: 20, for_s: 140 }],
  },
  'while the operator is dead': { faults: [{ kind: 'operator', at_s: 45, for_s: 50 }] },
} as const

for (const [how, more] of Object.entries(cases))
  test(`demand response to 60 %, ${how}: under it from its first second to its last, and people are served`, () => {
    const decisions: CapDecision[] = []
    const report = runTwin(
      demandResponse({ ...more, faults: 'faults' in more ? [...more.faults] : undefined } as never),
      [],
      {
        onCap: (decision) => decisions.push(decision),
      },
    )
    assert.equal(report.power?.over_s, 0, JSON.stringify(report.power))
    assert.deepEqual(
      report.power?.falls.map(({ limit_w, kept_after_s }) => [limit_w, kept_after_s]),
      [[1680, 0]],
    )
    assert.equal(report.books.conserved, true)
    const { interactive, batch } = report.classes
    // A silent board counts at its nameplate, which leaves the watts of one board of the two that fit.
    const least = how === 'with a meter that falls silent' ? 0.9 : 0.95
    assert(interactive && interactive.good_share > least, JSON.stringify(report.classes))
    assert.equal(batch?.complete_share, 1)
    // Devices that slow down leave a place for everybody.
    const waits = decisions.some(({ held }) => held.some(({ slo }) => slo === 'batch'))
    assert.equal(waits, !('devices' in more))
    if (how === 'with a meter that falls silent')
      assert(decisions.some(({ alarms }) => alarms.some(({ kind }) => kind === 'silent')))
    if (how === 'with a device that hears nothing')
      assert(decisions.some(({ alarms }) => alarms.some(({ kind }) => kind === 'deaf')))
  })

test('a limit that falls without notice is kept within half a minute by admission, within three seconds by devices', () => {
  for (const [devices, most_s] of [
    [false, 30],
    [true, 3],
  ] as const) {
    const { power } = runTwin(demandResponse({ devices, notice_s: 0 }))
    assert.equal(power?.steady_over_s, 0, JSON.stringify(power))
    assert((power?.falls[0]?.kept_after_s ?? Infinity) <= most_s, JSON.stringify(power))
  }
})
