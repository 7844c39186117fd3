import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latencyAdvice, powerAdvice, revenueAdvice, throughputAdvice } from './advice.ts'
import type { Engine, Figures, Status } from './contract.ts'

const figures = (values: Readonly<Record<string, number | null>>): Figures =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, unit: '1', source: 'measured' }]))
const status = (waiting: number): Status => ({ gateways: [{ waiting: 0 }, { waiting }] }) as unknown as Status
const engine = (running: number, concurrency: number, up = true): Engine =>
  ({ running, concurrency, up, draining: false }) as unknown as Engine

test('a queue goes before failures, failures before idleness, and room is told of engines that work', () => {
  const busy = figures({ requests: 9, failed_share: 0.5 })
  assert.match(throughputAdvice(busy, status(3), [engine(4, 4)]), /3 requests wait/)
  assert.match(throughputAdvice(busy, status(0), [engine(4, 4)]), /50 % of requests failed/)
  assert.match(throughputAdvice(figures({ requests: 0 }), status(0), [engine(0, 4)]), /Nobody asks/)
  const fine = figures({ requests: 9, failed_share: 0 })
  assert.match(throughputAdvice(fine, status(0), [engine(1, 4), engine(0, 64, false)]), /1 of 4 places/)
  assert.match(throughputAdvice(fine, status(0), []), /No engine/)
})

test('a long tail is told as a multiple, and only where it is felt', () => {
  assert.match(latencyAdvice(figures({ ttft_p50_ms: 50, ttft_p95_ms: 500 }), status(0)), /10 times/)
  assert.match(latencyAdvice(figures({ ttft_p50_ms: 2, ttft_p95_ms: 20 }), status(0)), /Steady/)
  assert.match(latencyAdvice(figures({ ttft_p50_ms: null, ttft_p95_ms: null }), status(0)), /streamed/)
  assert.match(latencyAdvice(figures({ ttft_p50_ms: 50, ttft_p95_ms: 60 }), status(1)), /queue/)
})

test('power that serves nobody, power that is mostly floor, and power without a meter', () => {
  assert.match(powerAdvice(figures({ power_w: 40, idle_w: 10, requests: 0 })), /All 40.0 W serve nobody/)
  assert.match(powerAdvice(figures({ power_w: 40, idle_w: 30, requests: 1 })), /75 %/)
  assert.match(powerAdvice(figures({ power_w: 40, idle_w: 10, requests: 1 })), /Most of the power/)
  assert.match(powerAdvice(figures({ power_w: null })), /No meter/)
  assert.match(revenueAdvice(figures({ requests: 3, revenue_usd: 0 })), /Set one/)
  const earns = { requests: 3, revenue_usd: 1 }
  assert.match(revenueAdvice(figures({ ...earns, margin_usd_per_h: null })), /Declare/)
  assert.match(revenueAdvice(figures({ ...earns, margin_usd_per_h: -2 })), /\$2.00\/h more/)
  assert.match(revenueAdvice(figures({ ...earns, margin_usd_per_h: 2 })), /earns more/)
})
