/**
 * A factory's day from a seed, as files: two gateways of which one died, an engine that died and one that lives, retries,
 * hosted attempts, lost rows, work that nobody asked for, and a meter. What the keeper makes of it must not depend on when
 * it is killed.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CloseRow, OpenRow, Outcome } from '../../books/row.ts'
import type { MeterSample } from '../../plant/energy/meter.ts'
import type { Incarnation } from '../../units/ids.ts'
import { attemptId, id, requestId } from '../../units/ids.ts'
import { watts } from '../../units/quantity.ts'
import { holdAlive } from '../files/alive.ts'
import type { Home } from '../files/home.ts'
import type { EngineLogLine } from '../llama/protocol.ts'
import { alivePath } from './journal-file.ts'
import type { MeterReader } from './meter.ts'
import { closeRow, dice, embeddedUsage, openRow, writeJournal } from './testing.ts'

/** A moment shortly before midnight UTC, so that the day of the balances changes in between. */
export const dayStart_ms = 20_000 * 86_400_000 - 30_000
export const dayEnd_ms = dayStart_ms + 3_600_000

const outcomes: readonly Outcome[] = ['complete', 'complete', 'client_closed', 'timeout', 'upstream_error']

interface Made {
  readonly rows: (OpenRow | CloseRow)[]
  readonly lines: (EngineLogLine & { at_ms: number })[]
}

/** Writes the day's files; what is held lives until it is released. */
export function makeDay(home: Home, seed: number): Disposable {
  const roll = dice(seed)
  const died = makeGateway(id<Incarnation>('gwa'), roll, true)
  const lives = makeGateway(id<Incarnation>('gwb'), roll, false)
  writeJournal(home.journals, id('gwa'), died.rows)
  writeJournal(home.journals, id('gwb'), lives.rows)
  const lines = [...died.lines, ...lives.lines, ...foreignWork(roll)].sort((a, b) => a.at_ms - b.at_ms)
  const cut = roll(lines.length)
  const killed = lines.slice(0, cut)
  const begun = new Set(killed.flatMap((line) => ('id' in line ? [line.id] : [])))
  writeEngine(home, 'e1', roll, [...killed, ...lines.slice(cut).filter((line) => touches(line, begun))], '{"log":"st')
  writeEngine(home, 'e2', roll, untouched(lines.slice(cut), begun), '')
  writeSamples(home, roll)
  const held = [alivePath(home.journals, 'gwb'), alivePath(home.engineLogs, 'e2')].map((path) => holdAlive(path))
  holdAlive(alivePath(home.engineLogs, 'e1'))?.release()
  return { [Symbol.dispose]: () => held.forEach((one) => void one?.release()) }
}

/** One attempt per step line here, so that a line belongs to one engine. */
const touches = (line: EngineLogLine, begun: ReadonlySet<string>): boolean =>
  line.log === 'step' ? line.made.some(([name]) => begun.has(name)) : 'id' in line && begun.has(line.id)

const untouched = (lines: readonly EngineLogLine[], begun: ReadonlySet<string>) =>
  lines.filter((line) => !touches(line, begun))

function makeGateway(incarnation: Incarnation, roll: (below: number) => number, dies: boolean): Made {
  const made: Made = { rows: [], lines: [] }
  for (let number = 1; number <= 20; number++) {
    const at_ms = dayStart_ms + roll(60_000)
    const opened = openRow(
      number,
      { at_ms, tenant: id(`t${roll(3)}`), price_version: roll(4) === 0 ? null : 1 },
      incarnation,
    )
    const attempts = Array.from({ length: 1 + roll(2) }, (_, index) => makeAttempt(made, opened, index + 1, roll))
    const outcome = outcomes[roll(outcomes.length)] ?? 'complete'
    const closed_ms = at_ms + 30_000 + roll(1000)
    const { kind: _, reserved_tokens: __, ...asked } = opened
    const ttft_ms = number % 3 === 0 ? 1500 : 10 // some were promised a first token earlier
    const close: CloseRow = { ...closeRow(number), ...asked, closed_ms, ttft_ms, outcome, attempts }
    const lostOpen = dies && roll(8) === 0
    if (!lostOpen) made.rows.push(opened)
    if (!lostOpen && !(dies && roll(5) === 0)) made.rows.push(close)
  }
  return made
}

function makeAttempt(
  made: Made,
  row: OpenRow,
  number: number,
  roll: (below: number) => number,
): CloseRow['attempts'][number] {
  const input = roll(200)
  const output = roll(30)
  if (roll(4) === 0)
    return { number, replica: id('hosted'), usage: { ...embeddedUsage(input, 0, output), reasoning: null } }
  const cached = roll(50)
  const name = attemptId(row.id, number)
  const begin_ms = row.at_ms + (number - 1) * 5000 + roll(500)
  made.lines.push({ log: 'begin', at_ms: begin_ms, id: name, model: 'm', input_uncached: input, cache_read: cached })
  for (let step = 1; step <= output; step++)
    made.lines.push({ log: 'step', at_ms: begin_ms + step * 90, took_us: 5, made: [[name, 1]] })
  const count = { input_uncached: input, cache_read: cached, output }
  made.lines.push({ log: 'end', at_ms: begin_ms + output * 90 + 1, id: name, why: 'stop', count })
  const heard = roll(6) === 0 ? roll(output + 1) : output // the last words of an engine may not arrive
  return { number, replica: id('embedded'), usage: embeddedUsage(input, cached, heard) }
}

function foreignWork(roll: (below: number) => number): Made['lines'] {
  const name = attemptId(requestId(id('nobody-we-know'), 1), 1)
  const at_ms = dayStart_ms + roll(50_000)
  return [
    { log: 'begin', at_ms, id: name, model: 'm', input_uncached: 7, cache_read: 0 },
    { log: 'step', at_ms: at_ms + 10, took_us: 5, made: [[name, 1]] },
    { log: 'end', at_ms: at_ms + 11, id: name, why: 'stop', count: { input_uncached: 7, cache_read: 0, output: 1 } },
  ]
}

/** In several files, each begun with its host line; the last one may be torn. */
function writeEngine(
  home: Home,
  engine: string,
  roll: (below: number) => number,
  lines: readonly EngineLogLine[],
  torn: string,
) {
  const host: EngineLogLine = { log: 'host', incarnation: engine, pid: 1, at_ms: dayStart_ms }
  const cut = roll(lines.length + 1)
  for (const [number, part] of [lines.slice(0, cut), lines.slice(cut)].entries()) {
    const text = [host, ...part].map((line) => `${JSON.stringify(line)}\n`).join('')
    writeFileSync(join(home.engineLogs, `${engine}.000${number}.ndjson`), text + torn)
  }
}

function writeSamples(home: Home, roll: (below: number) => number): void {
  let energy_uj = 5_000_000
  const samples = Array.from({ length: 120 }, (_, index): MeterSample => {
    energy_uj = (energy_uj + 40_000_000 + roll(30_000_000)) % 3_000_000_000
    const at_ms = dayStart_ms - 5000 + index * 1000 + roll(5)
    return {
      kind: 'energy_counter',
      meter: 'rapl-0',
      sequence: index + 1,
      at_ms,
      energy_uj,
      wraps_at_uj: 3_000_000_000,
    }
  })
  writeFileSync(join(home.meters, 'rapl-0.ndjson'), `${samples.map((one) => JSON.stringify(one)).join('\n')}\n{"torn`)
}

/** Reads nothing new: the day's samples are in the file. */
export const silentMeter: MeterReader = {
  meter: 'rapl-0',
  idle: watts(20),
  read: () => ({ kind: 'energy_counter', energy_uj: 1_000_000, wraps_at_uj: 3_000_000_000 }),
}
