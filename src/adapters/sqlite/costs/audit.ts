/** Works out again what hours cost, and compares: usage + waste + idle + overhead = what was declared, to the last nano-dollar. */
import type { Account, LedgerUnit } from '../../../books/account.ts'
import { dayOf } from '../../../books/account.ts'
import type { Findings } from '../../../books/check.ts'
import type { Borne } from '../../../books/cost-hour.ts'
import { borneBy, borneOf, hour_ms } from '../../../books/cost-hour.ts'
import { count } from '../ledger.ts'
import { all, allBig } from '../query.ts'
import { rolledTransfers } from '../rolled.ts'
import { fitsIn } from '../step-fits.ts'
import type { Store } from '../store.ts'
import { checkBeside, isBeside } from './beside.ts'
import { costTransfers } from './cost-transfers.ts'
import { declarations } from './declarations.ts'
import { checkDemand } from './demand.ts'
import { gatherHour } from './gather.ts'
import { checkMaking } from './making.ts'
import { checkWork } from './work-hours.ts'

type Reader = Pick<Store, 'database'>

interface CostRow {
  readonly hour: bigint
  readonly source: Account
  readonly unit: LedgerUnit
  readonly amount: bigint
  readonly rolled: bigint
}

interface ClosedRow {
  readonly hour: number
  readonly declared: number
  readonly fit: number
  readonly stale: number
  readonly frozen: number
  /** Hours that were closed before work was kept have none. */
  readonly worked: number
}

export function checkCosts(books: Reader, findings: Findings): void {
  const stored = Map.groupBy(
    allBig<CostRow>(
      books.database,
      `select hour, source, unit, amount, rolled from cost_hour where not ${isBeside} order by hour, source`,
    ),
    ({ hour }) => Number(hour),
  )
  const [declared, fits] = [declarations(books), fitsIn(books)]
  let explained = checkBeside(books, findings)
  checkDemand(books, findings, declared)
  checkMaking(books, findings, declared)
  for (const closed of all<ClosedRow>(books.database, 'select * from closed_hour order by hour')) {
    const { hour } = closed
    const rows = (stored.get(hour) ?? []).filter(({ rolled }) => rolled === 0n)
    stored.delete(hour)
    const known = {
      declared: declared.filter(({ version }) => version <= closed.declared),
      fits: fits.filter(({ version }) => version <= closed.fit),
    }
    // One that is to be worked out again is not yet what it should be; one whose details go cannot be.
    const gathered = closed.stale || closed.frozen ? undefined : gatherHour(books, hour, known)
    const again = gathered && [...gathered.costs]
    if (gathered && closed.worked) checkWork(books, findings, hour, gathered.work)
    for (const { source, unit, amount } of rows) {
      const transfers = costTransfers(books, hour, source, unit)
      explained += transfers.length
      const borne = borneBy(source, transfers)
      const at = again?.findIndex((one) => one.source === source && one.unit === unit) ?? -1
      const [should] = at < 0 ? [] : (again?.splice(at, 1) ?? [])
      const name = `${hour}/${source}`
      if (sumOf(borne) !== amount) findings.add('hour', name, `cost ${amount} ${unit}, ${sumOf(borne)} are booked`)
      else if (again && amount !== (should?.amount ?? 0n))
        findings.add('hour', name, `cost ${amount} ${unit}, by what was declared ${should?.amount ?? 0n}`)
      else if (should) compare(findings, name, borne, borneOf(should))
    }
    for (const { source, amount } of again ?? [])
      findings.add('hour', `${hour}/${source}`, `cost ${amount}, and is missing`)
  }
  for (const [hour, rows] of stored)
    if (rows.some(({ rolled }) => rolled === 0n)) findings.add('hour', String(hour), 'has a cost and was never closed')
  const all_ = count(books.database, "select count(*) as n from transfer where id >= 'cost/' and id < 'cost0'")
  if (all_ !== explained) findings.add('hour', 'transfers', `${all_} of cost are there, hours explain ${explained}`)
  checkRolled(books, findings)
}

const sumOf = (borne: Borne): bigint => [...borne.values()].reduce((sum, amount) => sum + amount, 0n)

function compare(findings: Findings, name: string, is: Borne, should: Borne): void {
  for (const account of new Set([...is.keys(), ...should.keys()])) {
    const [has, due] = [is.get(account) ?? 0n, should.get(account) ?? 0n]
    if (has !== due) findings.add('hour', name, `${account} bears ${has}, should bear ${due}`)
  }
}

/** Of days long past: what each source cost, hour by hour, is what its sums by day come to. */
function checkRolled(books: Reader, findings: Findings): void {
  const rest = new Map<string, bigint>()
  const add = (name: string, amount: bigint): void => void rest.set(name, (rest.get(name) ?? 0n) + amount)
  const rolled = 'select hour, source, unit, amount, rolled from cost_hour where rolled = 1'
  for (const { hour, source, unit, amount } of allBig<CostRow>(books.database, rolled))
    add(`${dayOf(Number(hour) * hour_ms)} ${unit} ${source}`, -amount)
  for (const { day, unit, from, to, amount } of rolledTransfers(books)) {
    if (to.startsWith('cost/')) add(`${day} ${unit} ${from}`, amount)
    else if (from.startsWith('cost/')) add(`${day} ${unit} ${to}`, -amount)
  }
  for (const [name, amount] of rest)
    if (amount !== 0n) findings.add('rolled up', name, `hours and days differ by ${amount}`)
}
