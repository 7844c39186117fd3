/** What one should do about a chart, in a line: worked out from the numbers, or that all is well. */
import type { Engine, Figures, Status } from './contract.ts'
import { text } from './format.ts'

const value = (figures: Figures, name: string): number => figures[name]?.value ?? 0

export function throughputAdvice(figures: Figures, status: Status, engines: readonly Engine[]): string {
  const waiting = status.gateways.reduce((sum, gateway) => sum + gateway.waiting, 0)
  const running = engines.reduce((sum, engine) => sum + engine.running, 0)
  const room = engines
    .filter(({ draining, up }) => !draining && up !== false)
    .reduce((sum, each) => sum + each.concurrency, 0)
  const failed = value(figures, 'failed_share')
  if (engines.length === 0) return 'No engine: add one, or a GGUF file to the embedded engine.'
  if (waiting > 0) return `${waiting} requests wait for a free place: add an engine, or raise an engine's concurrency.`
  if (failed > 0.01) return `${text(failed, '1')} of requests failed in the last minute: look at what failed.`
  if (value(figures, 'requests') === 0) return 'Nobody asks: send a request from the try-it page.'
  return `Room to spare: ${running} of ${room} places are taken.`
}

export function latencyAdvice(figures: Figures, status: Status): string {
  const [middle, tail] = [figures.ttft_p50_ms?.value, figures.ttft_p95_ms?.value]
  const waiting = status.gateways.reduce((sum, gateway) => sum + gateway.waiting, 0)
  if (middle === null || middle === undefined || tail === null || tail === undefined)
    return 'Latencies come with streamed answers: ask with "stream": true.'
  if (waiting > 0) return 'Requests wait in the queue, and that is part of the time to the first token: add capacity.'
  if (tail > 5 * middle && tail > 100)
    return `One in twenty waits ${(tail / middle).toFixed(0)} times the median: look for long prompts, or a cold engine.`
  return 'Steady: nothing waits, and the slowest twentieth is near the median.'
}

export function powerAdvice(figures: Figures): string {
  const [all, idle] = [figures.power_w?.value, figures.idle_w?.value]
  if (all === null || all === undefined) return 'No meter is read: nothing is known of the power.'
  const share = (idle ?? 0) / all
  if (value(figures, 'requests') === 0)
    return `All ${text(all, 'W')} serve nobody now: send work here, or let the machine sleep.`
  if (share > 0.6)
    return `${text(share, '1')} is the idle floor, which more work would share: tokens get cheaper with load.`
  return 'Most of the power does work; the idle floor is the smaller part.'
}

export function revenueAdvice(figures: Figures): string {
  if (value(figures, 'requests') === 0) return 'Nothing was served, so nothing was earned.'
  if (value(figures, 'revenue_usd') === 0) return 'Served for nothing: a model without a price is booked at 0. Set one.'
  const margin = figures.margin_usd_per_h?.value
  if (margin === null || margin === undefined) return 'Declare what your engines cost per hour, and the margin is here.'
  if (margin < 0)
    return `Capacity costs ${text(-margin, 'USD/h')} more than it earns: more load, a higher price, or less of it.`
  return 'It earns more than its capacity costs.'
}
