import type { Books, Finding, IntervalRecord, RequestRecord, Sample, SliceRecord, TransferRecord } from './records.ts'
import { attempted, secondsOf } from './timeline.ts'

type Sliced = IntervalRecord & { readonly slices: readonly SliceRecord[] }

/**
 * Boards in MIG slices, from outside: what each slice counts is worked out anew from samples, requests and what engines were given, and
 * what the engines' requests bear from that, to the millijoule: (energy − idle) by busy time × SMs, largest remainder.
 */
export function checkSlices(
  books: Books,
  samples: readonly Sample[],
  requests: ReadonlyMap<string, RequestRecord>,
): Finding[] {
  const { given = [] } = books
  if (given.length === 0) return []
  const bySample = new Map(samples.map((one) => [`${one.meter}/${one.sequence}`, one]))
  const byInterval = Map.groupBy(
    books.transfers.filter(({ unit }) => unit === 'mJ'),
    ({ id }) => id.split('/', 2).join('/'),
  )
  return books.intervals.flatMap((interval) => {
    const name = `${interval.meter}/${interval.sequence}`
    const transfers = byInterval.get(name) ?? []
    const { from_ms = 0, to_ms = 0 } = interval
    const mine = given.filter(
      (one) => one.meter === interval.meter && one.from_ms < to_ms && (one.until_ms ?? to_ms) > from_ms,
    )
    if (!interval.posted || mine.length === 0) return []
    const { slices } = interval
    if (!slices) {
      const somebody = transfers.some(({ request }) => request !== null)
      return somebody ? [finding(name, 'its board is in slices, and it is shared as if it were not')] : []
    }
    const [before, after] = [bySample.get(`${interval.meter}/${interval.sequence - 1}`), bySample.get(name)]
    return [
      ...slices.flatMap((one) => checkSlice(name, one, { ...interval, slices }, mine, [before, after], requests)),
      ...checkShares(name, { ...interval, slices }, transfers, requests),
    ]
  })
}

const finding = (subject: string, message: string): Finding => ({ kind: 'energy', subject, message })

function checkSlice(
  name: string,
  { engine, instance, sms, busy_us, source }: SliceRecord,
  interval: Sliced,
  given: NonNullable<Books['given']>,
  [before, after]: readonly [Sample | undefined, Sample | undefined],
  requests: ReadonlyMap<string, RequestRecord>,
): Finding[] {
  const findings: Finding[] = []
  const whose = engine ?? `GPU instance ${instance}`
  const mine = given.filter((one) => one.engine === engine)
  const known = mine.map((one) => one.sms ?? one.board_sms ?? Math.max(...given.map(({ board_sms }) => board_sms ?? 0)))
  if (engine !== null && !known.includes(sms ?? -1))
    findings.push(finding(name, `${whose} counts with ${sms} SMs, and was given ${known.join(', ')}`))
  if (source === 'measured' && instance !== null && before && after) {
    const [was, is] = [before.instances?.[instance], after.instances?.[instance]]
    const grown = was && is && was.profile === is.profile ? is.busy_us - was.busy_us : undefined
    if (grown !== busy_us)
      findings.push(finding(name, `${whose} was busy ${busy_us} µs by the books, ${grown} µs by the samples`))
  }
  const [only, ...more] = mine
  if (source === 'estimated' && only && more.length === 0) {
    const seconds = busySeconds(only, interval, requests)
    if (seconds > 0 && seconds * 1_000_000 !== busy_us)
      findings.push(finding(name, `${whose} was busy ${busy_us} µs by the books, ${seconds} s by its requests`))
  }
  return findings
}

/** Seconds, by their middles, in which an engine had a request. */
function busySeconds(
  given: NonNullable<Books['given']>[number],
  { from_ms = 0, to_ms = 0 }: IntervalRecord,
  requests: ReadonlyMap<string, RequestRecord>,
): number {
  const from = Math.ceil((Math.max(from_ms, given.from_ms) - 500) / 1000)
  const until = Math.ceil((Math.min(to_ms, given.until_ms ?? to_ms) - 500) / 1000)
  const near = [...requests.values()].filter(
    ({ at_ms = 0, closed_ms = 0 }) => closed_ms >= from_ms - 1000 && at_ms <= to_ms + 1000,
  )
  const worked = near.flatMap((row) => attempted(row, given.engine))
  return new Set(worked.flatMap((one) => [...secondsOf(one, from, until)])).size
}

/** What engines and others bear of the energy above the floor. */
function checkShares(
  name: string,
  { energy_mj, idle_mj = 0n, slices }: Sliced,
  transfers: readonly TransferRecord[],
  requests: ReadonlyMap<string, RequestRecord>,
): Finding[] {
  const borne = new Map<string, bigint>()
  for (const { id, request, credit, amount } of transfers) {
    const rest = id.slice(name.length + 1)
    const to = request === null ? (credit.startsWith('idle/') ? 'idle' : rest) : replicaOf(rest, request, requests)
    borne.set(to, (borne.get(to) ?? 0n) + amount)
  }
  const due = dueOf(slices, energy_mj - idle_mj, new Set(borne.keys()))
  due.set('idle', idle_mj)
  return [...new Set([...borne.keys(), ...due.keys()])].flatMap((to) => {
    const [is, should] = [borne.get(to) ?? 0n, due.get(to) ?? 0n]
    return is === should ? [] : [finding(name, `${to} bears ${is} mJ, and its slice is due ${should} mJ`)]
  })
}

function dueOf(slices: readonly SliceRecord[], active_mj: bigint, bearers: ReadonlySet<string>): Map<string, bigint> {
  const sources = new Set(slices.map(({ source }) => source))
  if (sources.size > 1 || slices.some(({ sms }) => sms === null)) return new Map([['overhead/unseen', active_mj]])
  const weights = slices.map(({ busy_us, sms }) => BigInt(Math.max(busy_us, 1)) * BigInt(sms ?? 0))
  const total = weights.reduce((sum, one) => sum + one, 0n)
  const parts = weights.map((weight) => (active_mj * weight) / total)
  let left = active_mj - parts.reduce((sum, one) => sum + one, 0n)
  const rests = weights.map((weight, at) => ({ at, rest: (active_mj * weight) % total }))
  rests.sort((a, b) => (a.rest === b.rest ? a.at - b.at : a.rest > b.rest ? -1 : 1))
  for (const { at } of rests) {
    if (left === 0n) break
    parts[at] = (parts[at] ?? 0n) + 1n
    left--
  }
  const due = new Map<string, bigint>()
  for (const [at, { engine, instance }] of slices.entries()) {
    const to = engine !== null && bearers.has(engine) ? engine : `foreign/${instance ?? engine}`
    due.set(to, (due.get(to) ?? 0n) + (parts[at] ?? 0n))
  }
  return due
}

/** The engine that an attempt was on: by its row; foreign work is named after its engine. */
function replicaOf(attempt: string, request: string, requests: ReadonlyMap<string, RequestRecord>): string {
  const found = requests.get(request)?.attempts.find(({ number }) => attempt.endsWith(`/${number}`))
  return found?.replica ?? /^foreign-(.+)$/.exec(request)?.[1] ?? request
}
