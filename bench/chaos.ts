/**
 * Three hundred messages into a factory of its own, a fifth of the clients hanging up, and kill -9 of gateway, engine
 * and operator on the way, when and in which order the seed says; then the audit from outside, and planted faults that it
 * must find.
 *
 *     node bin/node.mjs bench/chaos.ts [--messages 300] [--at-once 16] [--kills 3] [--seed 1] [--keep]
 */
import { createWriteStream, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { audit } from './audit/join.ts'
import { parseExport, readClients, readEngineLogs, readMeters } from './audit/read.ts'
import { plantAll, printAudit, printFaults } from './audit/report.ts'
import { dice } from './dice.ts'
import { load, messages, silence_ms } from './load/client.ts'
import type { Factory, Role } from './load/factory.ts'
import { cli, findProcess, startFactory, until } from './load/factory.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '300' },
    'at-once': { type: 'string', default: '16' },
    seed: { type: 'string', default: '1' },
    kills: { type: 'string', default: '3' },
    keep: { type: 'boolean', default: false },
  },
})
const seed = Number(values.seed)

interface Kill {
  readonly role: Role
  /** After so many answers. */
  readonly after: number
}

/** Each role as often as the others, in an order and at moments from the seed; none in the last tenth. */
function planKills(kills: number, all: number): Kill[] {
  const chance = dice(seed)
  const moments = Array.from({ length: kills }, () => chance.whole(1, Math.floor(all * 0.9))).sort((a, b) => a - b)
  let left: Role[] = []
  return moments.map((after) => {
    if (left.length === 0) left = ['gateway', 'engine', 'operator']
    const role = chance.pick(left)
    left = left.filter((other) => other !== role)
    return { role, after }
  })
}

let killed = 0

async function sendAll(factory: Factory, key: string, log: string): Promise<Record<string, number>> {
  const all = messages({
    messages: Number(values.messages),
    model: 'starter',
    seed,
    leaving: 0.2,
  })
  const file = createWriteStream(log, { flags: 'wx' })
  const due = planKills(Number(values.kills), all.length)
  const endings: Record<string, number> = {}
  let heard = 0
  await load(factory.base, key, all, Number(values['at-once']), (record) => {
    file.write(`${JSON.stringify(record)}\n`)
    const ending = record.status === null ? `${record.ended}, no answer` : `${record.ended}, ${record.status}`
    endings[ending] = (endings[ending] ?? 0) + 1
    heard++
    if (due[0] && heard >= due[0].after && kill(factory, due[0].role)) due.shift()
  })
  await new Promise<void>((resolve, reject) => {
    file.on('error', reject)
    file.end(resolve)
  })
  return endings
}

/** False when it is not there just now: killed before, and not started again yet. */
function kill(factory: Factory, role: Role): boolean {
  const pid = findProcess(factory.pid, role)
  if (!pid) return false
  process.kill(pid, 'SIGKILL')
  killed++
  console.log(`  kill -9 ${role}`)
  return true
}

interface Check {
  readonly conserved: boolean
  readonly requests: number
  readonly lag: {
    readonly open_requests: number
    readonly unreconciled_attempts: number
    readonly oldest_open_interval_ms: number | null
  }
}

/** Nothing is open, the energy of the whole load is attributed, and three looks a second apart see as many requests. */
async function caughtUp(factory: Factory): Promise<void> {
  const over_ms = Date.now()
  let [last, same] = [-1, 0]
  await until('the books had caught up', async () => {
    const { requests, lag } = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as Check
    const attributed = (lag.oldest_open_interval_ms ?? Number.POSITIVE_INFINITY) > over_ms
    const settled = lag.open_requests === 0 && lag.unreconciled_attempts === 0 && attributed
    same = settled && requests === last ? same + 1 : 0
    last = requests
    if (same >= 3) return true
    await after(1000)
    return undefined
  })
}

const began = performance.now()
const factory = await startFactory()
const clients = join(factory.home, 'clients.ndjson')
console.log(`factory ready after ${((performance.now() - began) / 1000).toFixed(1)} s`)
let endings: Record<string, number>
try {
  const made = await factory.cli('keys', 'create', '--tenant', 't', '--app', 'a', '-o', 'json')
  const { key } = JSON.parse(made) as { key: string }
  const start = performance.now()
  endings = await sendAll(factory, key, clients)
  console.log(`load took ${((performance.now() - start) / 1000).toFixed(1)} s; clients by ending:`, endings)
  await caughtUp(factory)
} catch (error) {
  console.error(factory.output())
  throw error
} finally {
  await factory.stop()
}

const check = await cli(factory.home, 'books', 'check', '-o', 'json')
const exported = await cli(factory.home, 'books', 'export')
writeFileSync(join(factory.home, 'export.ndjson'), exported)
console.log('books check:', check.trim())

const records = {
  closed: true,
  clients: readClients(clients),
  engine: readEngineLogs(factory.home),
  meter: readMeters(factory.home),
  books: parseExport(exported),
}
const result = audit(records)
console.log('audit from outside:')
printAudit(result)
const planted = plantAll(records, seed)
printFaults(planted)

const { conserved } = JSON.parse(check) as Check
const hung = records.clients.filter((client) => client.took_ms >= silence_ms).length
console.log(`clients left without a word for ${silence_ms / 1000} s: ${hung}`)
const silent = records.clients.length !== Number(values.messages) || result.summary.answered === 0
const ok =
  conserved &&
  !silent &&
  killed === Number(values.kills) &&
  hung === 0 &&
  result.findings.length === 0 &&
  planted.every((one) => one.result === 'found')
console.log(ok ? 'chaos: all agree' : 'chaos: FAILED')
if (values.keep || !ok) console.log(`records kept in ${factory.home}`)
else rmSync(factory.home, { recursive: true, force: true })
process.exitCode = ok ? 0 : 1
