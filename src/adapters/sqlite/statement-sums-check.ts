import type { Findings } from '../../books/check.ts'
import { hour_ms } from '../../books/cost-hour.ts'
import type { StatementSums } from '../../books/statement-sums.ts'
import { auditSums } from '../../books/statement-sums.ts'
import type { Books } from './books.ts'
import { stream } from './query.ts'
import { rolledTransfers } from './rolled.ts'
import { type SummedEnergy, summedFrom, summedParts, summedRequests } from './statement-sums.ts'

/** The sums of statements against what they are made of: `kept` holds the requests that are kept whole, and gets those rolled up. */
export function checkStatementSums(books: Books, findings: Findings, kept: StatementSums): void {
  for (const part of summedParts(books, 'day')) kept.part(part)
  for (const each of summedRequests(books, 'day')) kept.count(each)
  const hours = { parts: summedParts(books, 'hour'), requests: summedRequests(books, 'hour') }
  auditSums(findings, kept, hours, summedFrom(books))
  checkEnergy(books, findings)
}

const toTenants = `
  select credit, at_ms, amount from transfer where unit = 'mJ' and debit like 'meter/%' and credit like 'tenant/%'`

/** By application and day, of days that are summed from their first hour on. */
function checkEnergy(books: Books, findings: Findings): void {
  const { database } = books
  const fromDay = Math.ceil(summedFrom(books) / 24)
  const rest = new Map<string, bigint>()
  const add = (day: number, account: string, amount: bigint): void => {
    const name = `${day} mJ ${account}`
    if (day >= fromDay) rest.set(name, (rest.get(name) ?? 0n) + amount)
  }
  for (const { credit, at_ms, amount } of stream<{ credit: string; at_ms: bigint; amount: bigint }>(
    database,
    toTenants,
  ))
    add(Math.floor(Number(at_ms) / (24 * hour_ms)), credit, amount)
  for (const { unit, day, from, to, amount } of rolledTransfers(books))
    if (unit === 'mJ' && from.startsWith('meter/') && to.startsWith('tenant/')) add(day, to, amount)
  for (const { tenant, slot, application, amount } of stream<SummedEnergy>(
    database,
    'select *, hour as slot from statement_energy',
  ))
    add(Math.floor(Number(slot) / 24), ['tenant', tenant, application].map(encodeURIComponent).join('/'), -amount)
  for (const [name, amount] of rest)
    if (amount !== 0n) findings.add('statement', name, `its transfers and its hours differ by ${amount}`)
}
