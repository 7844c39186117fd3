import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Row } from '../../books/row.ts'
import type { Incarnation } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { isDead } from '../files/alive.ts'
import type { Journal, JournalState } from './journal.ts'
import { openJournal } from './journal.ts'
import { alivePath, journalPath } from './journal-file.ts'
import { lastOf, listJournals, readJournal, removeJournal } from './journal-reader.ts'
import { closeRow, gateway, openRow, testHome } from './testing.ts'

const append = (journal: Journal, row: Row): Promise<boolean> =>
  new Promise((resolve) => void journal.append(row, resolve))

const until = async (what: () => boolean): Promise<void> => {
  for (let tries = 0; !what(); tries++) {
    assert(tries < 500, 'it never came')
    await after(20)
  }
}

/** Everything that is in a journal, checked to be numbered without a gap. */
function wholeJournal(directory: string, incarnation: Incarnation) {
  const rows = readJournal(directory, incarnation, 0, 1_000_000)
  rows.forEach((row, index) => void assert.equal(row.seq, index + 1))
  return rows
}

test('rows are durable in the order they came, in few commits, and read back as written', async () => {
  using home = testHome()
  const journal = openJournal({ directory: home.journals, incarnation: gateway, onState: () => assert.fail() })
  assert.equal(isDead(alivePath(home.journals, gateway)), false)
  const rows = Array.from({ length: 5000 }, (_, n) => openRow(n))
  const durable = await Promise.all(rows.map((row) => append(journal, row)))
  assert(durable.every((one) => one))
  assert.equal(journal.depth, 0)

  const read = wholeJournal(home.journals, gateway)
  assert.deepEqual(
    read.map(({ row }) => row),
    rows,
  )
  await journal.close()
  assert.equal(isDead(alivePath(home.journals, gateway)), true)
  assert.deepEqual(listJournals(home.journals), [gateway])
  assert.equal(lastOf(home.journals, gateway), 5000)
  removeJournal(home.journals, gateway)
  assert.deepEqual(listJournals(home.journals), [])
})

test('two processes never write one journal', async () => {
  using home = testHome()
  const journal = openJournal({ directory: home.journals, incarnation: gateway, onState: () => assert.fail() })
  assert.throws(() => openJournal({ directory: home.journals, incarnation: gateway, onState: () => {} }), /held/)
  await journal.close()
})

test('pain 4, usage rows lost: kill -9, ten times: no acknowledged row is missing, the numbers have no gap', async () => {
  using home = testHome()
  for (let round = 0; round < 10; round++) {
    const incarnation = id<Incarnation>(`gw${round}`)
    const writer = spawn(process.execPath, [writerFile, home.journals, incarnation], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let told = ''
    writer.stdout.on('data', (bytes: Buffer) => {
      told += bytes.toString()
    })
    await until(() => told.length > 0)
    await after(10 + round * 17)
    writer.kill('SIGKILL')
    await once(writer, 'close')

    const acknowledged = told.slice(0, told.lastIndexOf('\n')).split('\n')
    const rows = wholeJournal(home.journals, incarnation)
    const known = new Set(rows.map(({ row }) => row?.id))
    assert(acknowledged.length > 0, 'a test that saw nothing proves nothing')
    for (const name of acknowledged) assert(known.has(id(name)), `round ${round}: ${name} was acknowledged and is gone`)
    assert.equal(isDead(alivePath(home.journals, incarnation)), true)
  }
})

const writerFile = fileURLToPath(new URL('testing-writer.ts', import.meta.url))

test('a full journal drops its rows and says so, keeps what it was told to keep, and comes back when there is room', async () => {
  using home = testHome()
  const states: [JournalState, string][] = []
  const journal = openJournal({
    directory: home.journals,
    incarnation: gateway,
    onState: (...state) => void states.push(state),
    largest: 1024 * 1024,
  })
  let written = 0
  const tenant = id<ReturnType<typeof openRow>['tenant']>('t'.repeat(400))
  for (let n = 0; journal.state === 'up'; n++) {
    assert(n < 100_000, 'it never became full')
    const durable = await Promise.all(
      Array.from({ length: 50 }, (_, m) => append(journal, openRow(n * 50 + m, { tenant }))),
    )
    assert(
      durable.every((one) => one === durable[0]),
      'a commit is all or nothing',
    )
    if (durable[0]) written += 50
  }
  assert.deepEqual(states, [['down', 'journal too large']])
  assert.equal(await append(journal, openRow(1)), false)
  journal.keep(closeRow(7))
  assert.equal(journal.depth, 1)
  await after(500)
  assert.equal(states.length, 1, 'no room, no state: it must not flap')
  assert.equal(wholeJournal(home.journals, gateway).length, written)

  journal.acknowledge(written - 10)
  await until(() => journal.state === 'up' && journal.depth === 0)
  const rows = readJournal(home.journals, gateway, 0, 1_000_000)
  assert.deepEqual(
    rows.map(({ seq }) => seq),
    Array.from({ length: 11 }, (_, n) => written - 9 + n),
    'the failed commits left no gap',
  )
  assert.deepEqual(rows.at(-1)?.row, closeRow(7))
  await journal.close()
})

test('the numbering goes on when every row was deleted and the file is opened again', async () => {
  using home = testHome()
  const open = (): Journal =>
    openJournal({ directory: home.journals, incarnation: gateway, onState: () => assert.fail() })
  const first = open()
  for (let n = 1; n <= 3; n++) await append(first, openRow(n))
  first.acknowledge(3)
  await until(() => readJournal(home.journals, gateway, 0, 10).length === 0)
  await first.close()
  const second = open()
  await append(second, openRow(4))
  assert.deepEqual(
    readJournal(home.journals, gateway, 3, 10).map(({ seq }) => seq),
    [4],
  )
  await second.close()
})

test('what an outage took of the disk is given back once its rows are in the books', async () => {
  using home = testHome()
  const largest = 8 * 1024 * 1024
  const journal = openJournal({ directory: home.journals, incarnation: gateway, onState: () => assert.fail(), largest })
  const size = (): number => statSync(journalPath(home.journals, gateway)).size
  const rows = Array.from({ length: 6000 }, (_, n) => closeRow(n))
  await Promise.all(rows.map((row) => append(journal, row)))
  assert(size() > 3 * 1024 * 1024, `only ${size()} bytes`)
  journal.acknowledge(5990)
  await until(() => size() < 1024 * 1024)
  await append(journal, closeRow(6001))
  assert.deepEqual(
    readJournal(home.journals, gateway, 5990, 100).map(({ seq }) => seq),
    [5991, 5992, 5993, 5994, 5995, 5996, 5997, 5998, 5999, 6000, 6001],
  )
  await journal.close()
})
