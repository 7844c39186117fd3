/**
 * The audit from outside, as a command: exit 1 when anything does not agree.
 *
 *     node bin/node.mjs bench/audit/main.ts --home DIR --clients FILE [--export FILE] [--closed] [--plant-faults] [--json]
 *
 * Without `--export` it runs `wattmill books export` itself, and `wattmill books statement` for tenants billed in another currency. `--closed` says that the clients' log holds all traffic.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { billedMonths } from './exchange.ts'
import { audit } from './join.ts'
import { parseExport, readClients, readEngineLogs, readMeters } from './read.ts'
import type { StatementRecord } from './records.ts'
import { plantAll, printAudit, printFaults } from './report.ts'

const { values } = parseArgs({
  options: {
    home: { type: 'string' },
    clients: { type: 'string' },
    export: { type: 'string' },
    closed: { type: 'boolean', default: false },
    'plant-faults': { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})
const { home, clients } = values
if (!home || !clients) {
  console.error('audit: --home DIR and --clients FILE are needed; see the top of bench/audit/main.ts')
  process.exit(64)
}

const wattmill = join(import.meta.dirname, '..', '..', 'bin', 'wattmill.mjs')
const told = (...args: string[]): string =>
  execFileSync(process.execPath, [wattmill, ...args, '--home', home], {
    encoding: 'utf8',
    maxBuffer: 1024 ** 3,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
const books = parseExport(values.export ? readFileSync(values.export, 'utf8') : told('books', 'export'))
const statements = values.export
  ? []
  : billedMonths(books).map(
      ({ tenant, from, to }) =>
        JSON.parse(
          told('books', 'statement', '--tenant', tenant, '--from', from, '--to', to, '-o', 'json'),
        ) as StatementRecord,
    )
const records = {
  closed: values.closed,
  clients: readClients(clients),
  engine: readEngineLogs(home),
  meter: readMeters(home),
  books,
  statements,
}
const result = audit(records)
const planted = values['plant-faults'] ? plantAll(records, Number(values.seed)) : []
if (values.json) console.log(JSON.stringify({ ...result, planted }, undefined, 2))
else {
  printAudit(result)
  printFaults(planted)
}
process.exitCode = result.findings.length > 0 || planted.some((one) => one.result === 'missed') ? 1 : 0
