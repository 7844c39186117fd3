import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nanoDollars } from '../units/amount.ts'
import { type CostDeclaration, inForce, perHourSpans, seriesOf } from './cost.ts'
import { hour_ms } from './cost-hour.ts'
import { demandTerms } from './demand.ts'
import { fileCosts, type Said } from './filed-cost.ts'

const now_ms = Date.UTC(2027, 0, 10, 12, 34, 56)
const hour = Math.floor(now_ms / hour_ms) * hour_ms

const perHour = (amount: bigint): Said['terms'] => ({ per: 'hour', amount: nanoDollars(amount) })
const staff = (amount: bigint, note = ''): Said => ({ kind: 'staff', name: 'ops', terms: perHour(amount), note })
const tariff = (name: string, usual: bigint): Said => ({
  kind: 'tariff',
  name,
  terms: { per: 'time', series: { usual } },
  note: '',
})
const demand = (amount: bigint): Said => ({
  ...{ kind: 'demand', name: 'all', note: '' },
  terms: { per: 'kW', amount: nanoDollars(amount), interval_min: 15, offset_min: 0, rule: 'even' },
})

/** Puts files into force one after the other, as a store does. */
class Books {
  declared: CostDeclaration[] = []
  filed: readonly Said[] = []

  byHand(said: Said, from_ms: number): void {
    this.#keep({ ...said, from_ms }, from_ms)
  }

  /** How many declarations it took. */
  state(said: readonly Said[], at_ms: number): number {
    const { declare, end } = fileCosts(this.declared, this.filed, said, at_ms)
    for (const one of [...declare, ...end]) this.#keep(one, at_ms)
    this.filed = said
    return declare.length + end.length
  }

  #keep(one: Omit<CostDeclaration, 'version' | 'declared_ms'>, declared_ms: number): void {
    this.declared.push({ ...one, version: this.declared.length + 1, declared_ms })
  }

  at(said: Pick<Said, 'kind' | 'name'>, at_ms: number) {
    return inForce(this.declared, said.kind, said.name, at_ms)?.terms
  }
}

test('the same file again changes nothing, however it is written', () => {
  const books = new Books()
  const file = [staff(5n), tariff('all', 80n), demand(7n)]
  assert.equal(books.state(file, now_ms), 3)
  assert.equal(books.state(file, now_ms + 1000), 0)
  const backwards = Object.fromEntries(Object.entries(demand(7n).terms).reverse()) as unknown as Said['terms']
  assert.equal(books.state([...file.slice(0, 2), { ...demand(7n), terms: backwards }], now_ms + 2000), 0)
  assert.equal(books.state(file, now_ms + 40 * 24 * hour_ms), 0, 'a month later')
})

test('a changed line holds from now on: energy from the hour under way, a peak from the next month', () => {
  const books = new Books()
  books.state([staff(5n), tariff('all', 80n), demand(7n)], now_ms)
  const later_ms = now_ms + 3 * hour_ms
  assert.equal(books.state([staff(6n, 'more people'), tariff('all', 90n), demand(9n)], later_ms), 3)
  assert.deepEqual(
    books.declared.slice(3).map(({ from_ms }) => new Date(from_ms).toISOString()),
    ['2027-01-10T15:34:56.000Z', '2027-01-10T15:00:00.000Z', '2027-02-01T00:00:00.000Z'],
  )
  assert.deepEqual(books.at(staff(0n), later_ms - 1), perHour(5n), 'what is past stays')
  assert.equal(demandTerms(books.declared, 'all', later_ms)?.amount, 7n)
  assert.equal(demandTerms(books.declared, 'all', Date.UTC(2027, 1, 1))?.amount, 9n)
  assert.equal(books.state([staff(6n), tariff('all', 90n), demand(9n)], later_ms + 5), 1, 'its note is part of it')
})

test('what the file names no more ends, once; a meter then has what all meters have; stated anew it begins anew', () => {
  const books = new Books()
  books.byHand({ ...staff(1n), name: 'by hand' }, hour - 24 * hour_ms)
  books.state([staff(5n), tariff('all', 80n), tariff('board', 60n)], now_ms)
  const later_ms = hour + 2 * hour_ms
  assert.equal(books.state([tariff('all', 80n)], later_ms), 2)
  assert.equal(books.state([tariff('all', 80n)], later_ms + 1), 0)
  assert.deepEqual(
    perHourSpans(books.declared, 'staff', 'ops').map(({ from_ms, until_ms }) => [from_ms, until_ms]),
    [[now_ms, later_ms]],
  )
  assert.equal(perHourSpans(books.declared, 'staff', 'by hand')[0]?.until_ms, null, 'the file never named it')
  assert.equal(seriesOf(books.declared, 'tariff', 'board', later_ms - 1)?.usual, 60n)
  assert.equal(seriesOf(books.declared, 'tariff', 'board', later_ms)?.usual, 80n)
  assert.equal(books.state([staff(5n), tariff('all', 80n)], later_ms + hour_ms), 1)
  assert.equal(perHourSpans(books.declared, 'staff', 'ops').length, 2)
})

test('what somebody set otherwise, now or for a time to come, is as the file states it again; what was set alike is taken over', () => {
  const books = new Books()
  books.byHand(staff(5n), hour - 24 * hour_ms)
  assert.equal(books.state([staff(5n)], now_ms), 0)
  books.byHand(staff(8n), now_ms + 1)
  books.byHand(staff(9n), now_ms + 100 * hour_ms)
  assert.equal(books.state([staff(5n)], now_ms + 2), 2)
  assert.equal(books.state([staff(5n)], now_ms + 3), 0)
  assert.deepEqual(books.at(staff(0n), now_ms + 200 * hour_ms), perHour(5n))
  assert.equal(books.state([], now_ms + 4), 2)
  assert.equal(books.state([], now_ms + 5), 0)
  assert.deepEqual(books.at(staff(0n), now_ms + 200 * hour_ms), perHour(0n), 'it ends for good')
})
