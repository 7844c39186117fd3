import type { Dice } from '../dice.ts'
import { answerOf } from './answer.ts'
import type { Books, ClientRecord, EngineLine, EngineLogFile, Records, Sample } from './records.ts'

/** A copy of the records with one thing made wrong, and the name under which the audit must complain about it. */
export interface Planted {
  readonly records: Records
  readonly subject: string
}

/** An audit that finds nothing proves something only if it finds these. `undefined`: these records have nothing to spoil so. */
export type Fault = (records: Records, dice: Dice) => Planted | undefined

const without = <T>(rows: readonly T[], row: T): T[] => rows.filter((one) => one !== row)
const replaced = <T>(rows: readonly T[], row: T, by: T): T[] => rows.map((one) => (one === row ? by : one))
const withBooks = (records: Records, books: Partial<Books>): Records => ({
  ...records,
  books: { ...records.books, ...books },
})
const oneOf = <T>(rows: readonly T[], dice: Dice): T | undefined => (rows.length === 0 ? undefined : dice.pick(rows))

const served = (records: Records): ClientRecord[] =>
  records.clients.filter((client) => client.id !== null && answerOf(client).complete)

/** A sample that ends a posted interval: what lies after the last of them has not reached the books. */
const sampleInUse = (records: Records, dice: Dice) => {
  const posted = new Set(
    records.books.intervals.filter((one) => one.posted).map((one) => `${one.meter}/${one.sequence}`),
  )
  return oneOf(
    records.meter.filter((sample) => posted.has(`${sample.meter}/${sample.sequence}`)),
    dice,
  )
}

/** The attempt of which a log line is the only proof; undefined: a line that can go without changing any figure. */
function tellsOf(line: EngineLine, file: EngineLogFile): string | undefined {
  if (line.log === 'step') return line.made.find(([, tokens]) => tokens > 0)?.[0]
  if (line.log === 'begin') return line.input_uncached + line.cache_read > 0 ? line.id : undefined
  return line.log === 'end' && file.lines.at(-1)?.log === 'close' ? line.id : undefined
}

export const faults: Readonly<Record<string, Fault>> = {
  'row removed': (records, dice) => {
    const id = oneOf(served(records), dice)?.id
    if (!id) return undefined
    const { requests, transfers } = records.books
    const books = {
      requests: requests.filter((one) => one.id !== id),
      transfers: transfers.filter((one) => one.request !== id || one.unit === 'mJ'),
    }
    return { records: withBooks(records, books), subject: id }
  },
  'row doubled': (records, dice) => {
    const row = oneOf(records.books.requests, dice)
    return row && { records: withBooks(records, { requests: [...records.books.requests, row] }), subject: row.id }
  },
  'token of the ledger changed': (records, dice) => {
    const rows = records.books.transfers.filter((one) => one.unit === 'token')
    const row = oneOf(rows, dice)
    if (!row?.request) return undefined
    const transfers = replaced(records.books.transfers, row, { ...row, amount: row.amount + 1n })
    return { records: withBooks(records, { transfers }), subject: row.request }
  },
  'token of a row changed': (records, dice) => {
    const id = oneOf(served(records), dice)?.id
    const row = records.books.requests.find((one) => one.id === id)
    const last = row?.attempts.at(-1)
    if (!row || !last) return undefined
    const usage = { ...last.usage, output_visible: { tokens: (last.usage.output_visible?.tokens ?? 0) + 1 } }
    const changed = { ...row, attempts: replaced(row.attempts, last, { ...last, usage }) }
    return {
      records: withBooks(records, { requests: replaced(records.books.requests, row, changed) }),
      subject: row.id,
    }
  },
  'money changed': (records, dice) => {
    const row = oneOf(
      records.books.transfers.filter((one) => one.unit === 'nano-USD'),
      dice,
    )
    if (!row?.request) return undefined
    const transfers = replaced(records.books.transfers, row, { ...row, amount: row.amount + 1n })
    return { records: withBooks(records, { transfers }), subject: row.request }
  },
  'transfer removed': (records, dice) => {
    const row = oneOf(
      records.books.transfers.filter((one) => one.unit !== 'mJ'),
      dice,
    )
    if (!row?.request) return undefined
    return { records: withBooks(records, { transfers: without(records.books.transfers, row) }), subject: row.request }
  },
  'energy transfer removed': (records, dice) => {
    const row = oneOf(
      records.books.transfers.filter((one) => one.unit === 'mJ'),
      dice,
    )
    if (!row) return undefined
    const interval = records.books.intervals.find((one) => row.id.startsWith(`${one.meter}/${one.sequence}/`))
    const transfers = without(records.books.transfers, row)
    return interval && { records: withBooks(records, { transfers }), subject: `${interval.meter}/${interval.sequence}` }
  },
  'balance changed': (records, dice) => {
    const row = oneOf(records.books.balances, dice)
    if (!row) return undefined
    const balances = replaced(records.books.balances, row, { ...row, amount: row.amount + 1n })
    return { records: withBooks(records, { balances }), subject: `${row.unit} ${row.account}` }
  },
  'meter sample dropped': (records, dice) => {
    const sample = sampleInUse(records, dice)
    if (!sample) return undefined
    return {
      records: { ...records, meter: without(records.meter, sample) },
      subject: `${sample.meter}/${sample.sequence}`,
    }
  },
  'meter sample altered': (records, dice) => {
    const sample = sampleInUse(records, dice)
    if (!sample) return undefined
    return {
      records: { ...records, meter: replaced(records.meter, sample, altered(sample)) },
      subject: `${sample.meter}/${sample.sequence}`,
    }
  },
  'engine log line removed': (records, dice) => {
    const telling = records.engine.flatMap((file) =>
      file.lines.flatMap((line) => {
        const attempt = tellsOf(line, file)
        return attempt === undefined ? [] : [{ file, line, attempt }]
      }),
    )
    const found = oneOf(telling, dice)
    if (!found) return undefined
    const file = { ...found.file, lines: without(found.file.lines, found.line) }
    return {
      records: { ...records, engine: replaced(records.engine, found.file, file) },
      subject: found.attempt.slice(0, found.attempt.lastIndexOf('/')),
    }
  },
  'an answer that is not booked': (records, dice) => {
    const client = oneOf(served(records), dice)
    if (!client) return undefined
    const extra = { ...client, client: -1, id: `${client.id}x` }
    return { records: { ...records, clients: [...records.clients, extra] }, subject: extra.id }
  },
}

function altered(sample: Sample): Sample {
  switch (sample.kind) {
    case 'energy_counter':
      return { ...sample, energy_uj: sample.energy_uj + 5_000 }
    case 'power':
      return { ...sample, watts: sample.watts + 1 }
    case 'cpu_time':
      return { ...sample, idle_watts: sample.idle_watts + 1, full_watts: sample.full_watts + 1 }
  }
}
