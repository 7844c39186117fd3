import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type {
  AgreementRecord,
  BookClass,
  Books,
  BusyRecord,
  ClientRecord,
  EngineLine,
  EngineLogFile,
  GivenRecord,
  RequestRecord,
  Sample,
  SliceRecord,
  TermsRecords,
  UpperPartRecord,
  UpperRecord,
  WorkRecord,
} from './records.ts'
import { bookClasses } from './records.ts'

/** The raw records of a factory's home: engine logs and meter samples, read as files and through nobody's API. */
export const readEngineLogs = (home: string): EngineLogFile[] =>
  filesOf(join(home, 'engine')).map((path) => ({
    name: basename(path),
    lines: ndjson(readFileSync(path, 'utf8'), path) as EngineLine[],
  }))

export const readMeters = (home: string): Sample[] =>
  filesOf(join(home, 'meter')).flatMap((path) => ndjson(readFileSync(path, 'utf8'), path) as Sample[])

export const readClients = (path: string): ClientRecord[] => ndjson(readFileSync(path, 'utf8'), path) as ClientRecord[]

const filesOf = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
    .map((name) => join(folder, name))

/** One JSON value per line. A last line without its newline is torn: whoever wrote it died, and nobody was told what it says. */
export function ndjson(text: string, name: string): unknown[] {
  const lines = text.split('\n')
  return lines.slice(0, -1).map((line, index) => {
    try {
      return JSON.parse(line)
    } catch (cause) {
      throw new Error(`${name}:${index + 1} is not JSON`, { cause })
    }
  })
}

/** `wattmill books export`: one record per line, told apart by `record`. Amounts are decimal text, since they outgrow numbers. */
export function parseExport(text: string): Books {
  const books = {
    requests: [] as Books['requests'][number][],
    transfers: [] as Books['transfers'][number][],
    intervals: [] as Books['intervals'][number][],
    upper: [] as UpperRecord[],
    upperParts: [] as UpperPartRecord[],
    given: [] as GivenRecord[],
    work: { shares: [] as WorkRecord[], busy: [] as BusyRecord[] },
    attempts: [] as Books['attempts'][number][],
    prices: [] as Books['prices'][number][],
    balances: [] as Books['balances'][number][],
    rolled: [] as NonNullable<Books['rolled']>[number][],
    terms: {
      agreements: [] as AgreementRecord[],
      hours: [] as TermsRecords['hours'][number][],
      rolledUntilHour: 0,
    },
    journals: [] as string[],
    quarantined: [] as Books['quarantined'][number][],
    exchange: { rates: [] as Exchange['rates'][number][], currencies: [] as Exchange['currencies'][number][] },
    costs: {
      hours: [] as Costs['hours'][number][],
      unsettled: new Set<number>(),
      closed: [] as number[],
      stale: new Set<number>(),
      frozen: new Set<number>(),
      peaks: [] as Costs['peaks'][number][],
      served: [] as Costs['served'][number][],
      declared: [] as Declared[],
      given: [] as Given[],
    },
  }
  for (const line of ndjson(text, 'export')) {
    const row = line as Fields
    if (row.record === 'request') books.requests.push(JSON.parse(words(row, 'body')) as RequestRecord)
    else if (row.record === 'transfer') books.transfers.push(transferOf(row))
    else if (row.record === 'interval') books.intervals.push(intervalOf(row))
    else if (row.record === 'upper_interval') books.upper.push(upperOf(row))
    else if (row.record === 'upper_part') books.upperParts.push(upperPartOf(row))
    else if (row.record === 'board_share') books.given.push(boardShareOf(row))
    else if (row.record === 'attempt') books.attempts.push(attemptOf(row))
    else if (row.record === 'price') books.prices.push(priceOf(row))
    else if (row.record === 'journal') books.journals.push(words(row, 'incarnation'))
    else if (row.record === 'balance') books.balances.push(balanceOf(row))
    else if (row.record === 'rolled_transfer') books.rolled.push(rolledOf(row))
    else if (row.record === 'agreement') books.terms.agreements.push(agreementOf(row))
    else if (row.record === 'terms_hours') books.terms.hours.push(termsHoursOf(row))
    else if (row.record === 'rolled_day')
      books.terms.rolledUntilHour = Math.max(books.terms.rolledUntilHour, (Number(whole(row, 'day')) + 1) * 24)
    else if (row.record === 'exchange_rate') books.exchange.rates.push(rateOf(row))
    else if (row.record === 'tenant_currency') books.exchange.currencies.push(currencyOf(row))
    else if (row.record === 'cost_hour') books.costs.hours.push(costHourOf(row))
    else if (row.record === 'cost_declaration') books.costs.declared.push(declaredOf(row))
    else if (row.record === 'engine_cost') books.costs.given.push(givenOf(row))
    else if (row.record === 'work_hour') books.work.shares.push(workOf(row))
    else if (row.record === 'busy_hour') books.work.busy.push(busyOf(row))
    else if (row.record === 'demand_hour') books.costs.peaks.push(peakOf(row))
    else if (row.record === 'served_hour') books.costs.served.push(servedOf(row))
    else if (row.record === 'closed_hour') {
      const hour = Number(whole(row, 'hour'))
      books.costs.closed.push(hour)
      if (row.stale === 1) books.costs.stale.add(hour)
      if (row.frozen === 1) books.costs.frozen.add(hour)
      if (row.stale === 1 || row.frozen === 1) books.costs.unsettled.add(hour)
    } else if (row.record === 'quarantine') books.quarantined.push([words(row, 'subject'), words(row, 'reason')])
    else if (!unread.has(row.record))
      throw new Error(`the export holds a record of another kind: ${JSON.stringify(line).slice(0, 200)}`)
  }
  return books
}

/** Open requests are not booked yet; the others are the books' own extracts of logs, rows and intervals. */
const unread: ReadonlySet<unknown> = new Set([
  ...['open_request', 'second', 'window_work', 'fit', 'credit'],
  ...['rolled_part', 'rolled_interval'],
])

type Fields = Readonly<Record<string, unknown>>

const transferOf = (row: Fields): Books['transfers'][number] => ({
  id: words(row, 'id'),
  unit: words(row, 'unit'),
  debit: words(row, 'debit'),
  credit: words(row, 'credit'),
  amount: whole(row, 'amount'),
  request: typeof row.request === 'string' ? row.request : null,
  ...(typeof row.at_ms === 'number' && { at_ms: row.at_ms }),
})

const agreementOf = (row: Fields): AgreementRecord => ({
  version: Number(whole(row, 'version')),
  tenant: wordsOrNull(row, 'tenant'),
  kind: words(row, 'kind'),
  model: wordsOrNull(row, 'model'),
  class: wordsOrNull(row, 'class'),
  counts: words(row, 'counts'),
  amount: whole(row, 'amount'),
  tiers: (JSON.parse(words(row, 'tiers')) as Fields[]).map((tier) => ({
    from: whole(tier, 'from'),
    off: whole(tier, 'off'),
  })),
  ended: row.ended === 1,
  from_hour: Number(whole(row, 'from_hour')),
})

const wordsOrNull = (row: Fields, name: string): string | null => (row[name] === null ? null : words(row, name))

const termsHoursOf = (row: Fields): TermsRecords['hours'][number] => {
  const next = Number(whole(row, 'next_hour'))
  const stale = row.stale_hour === null ? next : Number(whole(row, 'stale_hour'))
  return { tenant: words(row, 'tenant'), first: Number(whole(row, 'first_hour')), next: Math.min(next, stale) }
}

const rolledOf = (row: Fields): NonNullable<Books['rolled']>[number] => ({
  unit: words(row, 'unit'),
  debit: words(row, 'debit'),
  credit: words(row, 'credit'),
  amount: whole(row, 'amount'),
})

type Exchange = NonNullable<Books['exchange']>

const rateOf = (row: Fields): Exchange['rates'][number] => ({
  version: Number(whole(row, 'version')),
  currency: words(row, 'currency'),
  day: Number(whole(row, 'day')),
  rate: whole(row, 'rate'),
})

const currencyOf = (row: Fields): Exchange['currencies'][number] => ({
  version: Number(whole(row, 'version')),
  tenant: words(row, 'tenant'),
  currency: words(row, 'currency'),
  from_day: Number(whole(row, 'from_day')),
})

type Costs = NonNullable<Books['costs']>
type Declared = Costs['declared'][number]
type Given = Costs['given'][number]

const costHourOf = (row: Fields): Costs['hours'][number] => ({
  hour: Number(whole(row, 'hour')),
  source: words(row, 'source'),
  unit: words(row, 'unit'),
  amount: whole(row, 'amount'),
  rolled: row.rolled === 1,
})

const declaredOf = (row: Fields): Declared => ({
  version: Number(whole(row, 'version')),
  kind: words(row, 'kind'),
  name: words(row, 'name'),
  from_ms: Number(whole(row, 'from_ms')),
  terms: JSON.parse(words(row, 'terms')) as Declared['terms'],
})

const workOf = (row: Fields): WorkRecord => ({
  hour: Number(whole(row, 'hour')),
  replica: words(row, 'replica'),
  tenant: words(row, 'tenant'),
  application: words(row, 'application'),
  model: words(row, 'model'),
  cause: words(row, 'cause'),
  held_ns: whole(row, 'held_ns'),
  prefill: Number(whole(row, 'prefill')),
  decode: Number(whole(row, 'decode')),
  kv_token_ms: whole(row, 'kv_token_ms'),
})

const busyOf = (row: Fields): BusyRecord => ({
  hour: Number(whole(row, 'hour')),
  replica: words(row, 'replica'),
  busy_s: Number(whole(row, 'busy_s')),
})

const peakOf = (row: Fields): Costs['peaks'][number] => ({
  hour: Number(whole(row, 'hour')),
  connection: words(row, 'connection'),
  at_ms: Number(whole(row, 'at_ms')),
  interval_min: Number(whole(row, 'interval_min')),
  energy_mj: whole(row, 'energy_mj'),
})

const servedOf = (row: Fields): Costs['served'][number] => ({
  hour: Number(whole(row, 'hour')),
  model: words(row, 'model'),
  tokens: whole(row, 'tokens'),
})

const givenOf = (row: Fields): Given => ({
  engine: words(row, 'engine'),
  from_ms: Number(whole(row, 'from_ms')),
  until_ms: typeof row.until_ms === 'number' ? row.until_ms : null,
  per_hour: whole(row, 'per_hour'),
})

const intervalOf = (row: Fields): Books['intervals'][number] => ({
  meter: words(row, 'meter'),
  sequence: Number(whole(row, 'sequence')),
  energy_mj: whole(row, 'energy_mj'),
  posted: row.posted_ms !== null && row.posted_ms !== undefined,
  ...(typeof row.from_ms === 'number' && { from_ms: row.from_ms }),
  ...(typeof row.to_ms === 'number' && { to_ms: row.to_ms }),
  ...(row.idle_mj !== undefined && { idle_mj: whole(row, 'idle_mj') }),
  ...(typeof row.slices === 'string' && { slices: JSON.parse(row.slices) as SliceRecord[] }),
})

const boardShareOf = (row: Fields): GivenRecord => ({
  engine: words(row, 'engine'),
  meter: words(row, 'meter'),
  from_ms: Number(whole(row, 'from_ms')),
  until_ms: typeof row.until_ms === 'number' ? row.until_ms : null,
  sms: typeof row.sms === 'number' ? row.sms : null,
  board_sms: typeof row.board_sms === 'number' ? row.board_sms : null,
})

const upperOf = (row: Fields): UpperRecord => ({
  meter: words(row, 'meter'),
  sequence: Number(whole(row, 'sequence')),
  from_ms: Number(whole(row, 'from_ms')),
  to_ms: Number(whole(row, 'to_ms')),
  energy_mj: whole(row, 'energy_mj'),
  reset: row.reset === 1,
  booked_mj: row.booked_mj === null ? null : whole(row, 'booked_mj'),
  owed_mj: row.owed_mj === null ? null : whole(row, 'owed_mj'),
})

const upperPartOf = (row: Fields): UpperPartRecord => ({
  meter: words(row, 'meter'),
  sequence: Number(whole(row, 'sequence')),
  below: words(row, 'below'),
  first: row.first === null ? null : Number(whole(row, 'first')),
  last: row.last === null ? null : Number(whole(row, 'last')),
})

const attemptOf = (row: Fields): Books['attempts'][number] => ({
  id: words(row, 'id'),
  count: {
    input_uncached: Number(whole(row, 'input_uncached')),
    cache_read: Number(whole(row, 'cache_read')),
    output: Number(whole(row, 'output')),
  },
})

const balanceOf = (row: Fields): Books['balances'][number] => ({
  account: words(row, 'account'),
  unit: words(row, 'unit'),
  amount: whole(row, 'amount'),
})

const priceOf = (row: Fields): Books['prices'][number] => ({
  version: Number(whole(row, 'version')),
  perMillion: Object.fromEntries(bookClasses.map((of) => [of, whole(row, of)])) as Record<BookClass, bigint>,
  ...(typeof row.refund_percent === 'number' && {
    refund: { ttft_ms: Number(whole(row, 'refund_ttft_ms')), percent: whole(row, 'refund_percent') },
  }),
  ...(typeof row.site === 'string' && { site: row.site }),
  ...(typeof row.hit_percent === 'number' && { hitPercent: whole(row, 'hit_percent') }),
})

function words(row: Fields, name: string): string {
  const value = row[name]
  if (typeof value !== 'string') throw new Error(`"${name}" is missing in ${JSON.stringify(row).slice(0, 200)}`)
  return value
}

function whole(row: Fields, name: string): bigint {
  const value = row[name]
  if (typeof value === 'string' && /^-?\d+$/.test(value)) return BigInt(value)
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  throw new Error(`"${name}" is no whole number in ${JSON.stringify(row).slice(0, 200)}`)
}
