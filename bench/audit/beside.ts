import { figureAt, termsOfMeter } from './cost.ts'
import type { Books, CostRecords, Finding, IntervalRecord } from './records.ts'

type Declared = CostRecords['declared'][number]

const hour_ms = 3_600_000
const finding = (subject: string, message: string): Finding => ({ kind: 'money', subject, message })

/**
 * What is posted beside hours, from outside: demand charges from the readings of meters, the making of models from what was served. Of hours
 * whose details are gone what is kept is believed; a month or job of which an hour is to be worked out again is not judged yet.
 */
export function checkBeside(books: Books): Finding[] {
  return books.costs ? [...checkDemand(books, books.costs), ...checkMaking(books, books.costs)] : []
}

/** Of several that began up to a moment, the latest; of two at once the later entry. */
function inForce(declared: readonly Declared[], at_ms: number): Declared | undefined {
  const begun = declared.filter(({ from_ms }) => from_ms <= at_ms)
  return begun.sort((a, b) => b.from_ms - a.from_ms || b.version - a.version)[0]
}

const halfUp = (of: bigint, by: bigint): bigint => of / by + ((of % by) * 2n >= by ? 1n : 0n)

function checkDemand(books: Books, costs: CostRecords): Finding[] {
  const charges = Map.groupBy(
    costs.declared.filter(({ kind }) => kind === 'demand'),
    ({ name }) => name,
  )
  if (charges.size === 0) return []
  const peaks = new Map(costs.peaks.map((one) => [`${one.connection} ${one.hour}`, one]))
  return [
    ...checkPeaks(books, costs, charges),
    ...[...charges].flatMap(([connection, declared]) => {
      const source = `demand/${encodeURIComponent(connection)}`
      const charged = new Map(costs.hours.filter((one) => one.source === source).map((one) => [one.hour, one]))
      const seen = new Set<number>()
      return costs.closed.flatMap((hour) => {
        const terms = inForce(declared, hour * hour_ms)
        if (!terms || seen.has(hour)) return []
        const month = monthOf(hour, terms, declared)
        for (const of of month) seen.add(of)
        if (month.some((of) => costs.stale.has(of))) return []
        const due = dueInMonth(
          terms,
          month,
          costs,
          (of) => peaks.get(`${connection} ${of}`),
          (of) => charged.get(of)?.amount ?? 0n,
        )
        return month.flatMap((of) => {
          const [is, should] = [charged.get(of)?.amount ?? 0n, due.get(of) ?? 0n]
          if (!costs.closed.includes(of) || costs.frozen.has(of) || is === should) return []
          return [finding(`${of} ${source} nano-USD`, `cost ${is}, and by the month's peak ${should}`)]
        })
      })
    }),
  ]
}

/** Hours of the calendar month of the place in which an hour begins, as long as the same charge holds. */
function monthOf(hour: number, terms: Declared, declared: readonly Declared[]): number[] {
  const local = (of: number): string =>
    new Date(of * hour_ms + (terms.terms.offset_min ?? 0) * 60_000).toISOString().slice(0, 7)
  const same = (of: number): boolean => local(of) === local(hour) && inForce(declared, of * hour_ms) === terms
  const hours = [hour]
  for (let of = hour - 1; same(of); of--) hours.unshift(of)
  for (let of = hour + 1; same(of); of++) hours.push(of)
  return hours
}

type Peak = CostRecords['peaks'][number]

function dueInMonth(
  { terms }: Declared,
  month: readonly number[],
  { frozen }: CostRecords,
  peakOf: (hour: number) => Peak | undefined,
  bears: (hour: number) => bigint,
): Map<number, bigint> {
  const charge = (peak: Peak | undefined): bigint =>
    peak ? halfUp(peak.energy_mj * BigInt(terms.amount ?? '0'), BigInt(peak.interval_min) * 60_000_000n) : 0n
  const higher = (a: Peak | undefined, b: Peak | undefined): Peak | undefined =>
    a && (!b || a.energy_mj * BigInt(b.interval_min) > b.energy_mj * BigInt(a.interval_min)) ? a : b
  const due = new Map<number, bigint>()
  let before: Peak | undefined
  for (const hour of month) {
    const now = higher(peakOf(hour), before)
    due.set(hour, charge(now) - charge(before))
    before = now
  }
  if (terms.rule === 'peak') return due
  const free = month.filter((hour) => !frozen.has(hour))
  const borne = month.filter((hour) => frozen.has(hour)).reduce((sum, hour) => sum + bears(hour), 0n)
  const rest = charge(before) > borne ? charge(before) - borne : 0n
  const [each, over] = free.length === 0 ? [0n, 0n] : [rest / BigInt(free.length), rest % BigInt(free.length)]
  return new Map(free.map((hour, at) => [hour, each + (BigInt(at) < over ? 1n : 0n)]))
}

/** Each hour's highest interval by the meters; not where a meter is above others or a PUE is measured, which decide who is in it. */
function checkPeaks(
  { intervals, upper = [] }: Books,
  costs: CostRecords,
  charges: ReadonlyMap<string, readonly Declared[]>,
): Finding[] {
  if (upper.length > 0 || costs.declared.some(({ terms }) => terms.measured_by !== undefined)) return []
  const kept = Map.groupBy(costs.peaks, ({ hour }) => hour)
  return costs.closed.flatMap((hour) => {
    if (costs.frozen.has(hour) || costs.stale.has(hour)) return []
    const [from, to] = [hour * hour_ms, (hour + 1) * hour_ms]
    const read = intervals.filter(
      ({ from_ms = 0, to_ms = 0 }) => to_ms > from && from_ms < to && to_ms - from_ms <= hour_ms && to_ms > from_ms,
    )
    const own = new Set([...charges].filter(([, declared]) => inForce(declared, from)).map(([name]) => name))
    const should = [...charges].flatMap(([connection, declared]) => {
      const terms = inForce(declared, from)
      const mine = read.filter(({ meter }) => (own.has(meter) ? meter : 'all') === connection)
      const peak = terms && highest(costs, hour, mine, (terms.terms.interval_min ?? 15) * 60_000)
      return peak && peak.energy_mj > 0n ? `${connection} ${peak.energy_mj} mJ at ${peak.at_ms}` : []
    })
    const is = (kept.get(hour) ?? []).map(
      ({ connection, energy_mj, at_ms }) => `${connection} ${energy_mj} mJ at ${at_ms}`,
    )
    if (is.sort().join() === should.sort().join()) return []
    return [
      finding(`${hour} demand`, `the peak is ${is.join() || 'none'}, and by the meters ${should.join() || 'none'}`),
    ]
  })
}

function highest(costs: CostRecords, hour: number, read: readonly IntervalRecord[], length_ms: number) {
  let best = { at_ms: 0, energy_mj: 0n }
  for (let at_ms = hour * hour_ms; at_ms < (hour + 1) * hour_ms; at_ms += length_ms) {
    let energy_mj = 0n
    for (const [meter, mine] of Map.groupBy(read, (one) => one.meter)) {
      const drawn = mine.reduce((sum, one) => sum + until(one, at_ms + length_ms) - until(one, at_ms), 0n)
      energy_mj += halfUp(
        drawn * pueOver(costs, meter, hour, at_ms, length_ms),
        BigInt(length_ms / 300_000) * 1_000_000n,
      )
    }
    if (energy_mj > best.energy_mj) best = { at_ms, energy_mj }
  }
  return best
}

/** Millionths, summed over each five minutes. */
function pueOver(costs: CostRecords, meter: string, hour: number, at_ms: number, length_ms: number): bigint {
  const series = termsOfMeter(costs.declared, 'pue', meter, hour)?.series
  let sum = 0n
  for (let at = at_ms; at < at_ms + length_ms; at += 300_000) sum += series ? figureAt(series, at) : 1_000_000n
  return sum
}

/** Millijoules of a reading up to a moment, whole, as if it was drawn evenly. */
function until({ from_ms = 0, to_ms = 0, energy_mj }: IntervalRecord, at_ms: number): bigint {
  const past = Math.min(Math.max(at_ms - from_ms, 0), to_ms - from_ms)
  return (energy_mj * BigInt(past)) / BigInt(to_ms - from_ms)
}

const makingKinds: ReadonlySet<string> = new Set(['training', 'evaluation', 'data'])

function checkMaking(books: Books, costs: CostRecords): Finding[] {
  const jobs = costs.declared.filter(({ kind }) => makingKinds.has(kind))
  if (jobs.length === 0) return []
  return [
    ...checkServed(books, costs, jobs),
    ...jobs.flatMap((job) => {
      const [from, to] = hoursOf(job, jobs)
      const hours = costs.closed.filter((hour) => hour >= from && hour < to)
      return hours.some((hour) => costs.stale.has(hour)) ? [] : checkJob(costs, job, from, hours)
    }),
  ]
}

/** From the hour of its declaration to that of a later one of the same job. */
function hoursOf(job: Declared, jobs: readonly Declared[]): readonly [from: number, to: number] {
  const later = jobs.filter(
    (one) =>
      one.kind === job.kind &&
      one.name === job.name &&
      (one.from_ms > job.from_ms || (one.from_ms === job.from_ms && one.version > job.version)),
  )
  const hour = ({ from_ms }: Declared): number => Math.floor(from_ms / hour_ms)
  return [hour(job), Math.min(Number.MAX_SAFE_INTEGER, ...later.map(hour))]
}

const partsOfName = (name: string): string[] => name.split('/').map(decodeURIComponent)

function checkJob(
  costs: CostRecords,
  { kind, name, terms }: Declared,
  from: number,
  hours: readonly number[],
): Finding[] {
  const [model = '', job = ''] = partsOfName(name)
  const source = ['job', kind, model, job].map(encodeURIComponent).join('/')
  const charged = new Map(costs.hours.filter((one) => one.source === source).map((one) => [one.hour, one.amount]))
  const served = new Map(costs.served.filter((one) => one.model === model).map((one) => [one.hour, one.tokens]))
  const cost = BigInt(terms.amount ?? '0')
  const borne = (done: bigint, of: bigint): bigint => (done < of ? (cost * done) / of : cost)
  let [tokens, before] = [0n, 0n]
  return hours
    .toSorted((a, b) => a - b)
    .flatMap((hour) => {
      tokens += served.get(hour) ?? 0n
      const after =
        terms.months != null
          ? borne(BigInt(hour + 1 - from), BigInt(terms.months) * 730n)
          : borne(tokens, BigInt(terms.tokens ?? 1))
      const [is, should] = [charged.get(hour) ?? 0n, after - before]
      before = after
      if (costs.frozen.has(hour) || is === should) return []
      return [finding(`${hour} ${source} nano-USD`, `bears ${is}, and by what was served ${should}`)]
    })
}

/** Tokens of models whose jobs are borne by tokens, from the ledger: what went to tenants, by the hour in which its request ended. */
function checkServed({ requests, transfers }: Books, costs: CostRecords, jobs: readonly Declared[]): Finding[] {
  const byId = new Map(requests.map((one) => [one.id, one]))
  const sums = new Map<string, bigint>()
  for (const { unit, credit, request, amount } of transfers) {
    const row = unit === 'token' && credit.startsWith('tenant/') ? byId.get(request ?? '') : undefined
    if (!row) continue
    const name = `${Math.floor((row.closed_ms ?? 0) / hour_ms)} ${row.model}`
    sums.set(name, (sums.get(name) ?? 0n) + amount)
  }
  const kept = new Map(costs.served.map(({ hour, model, tokens }) => [`${hour} ${model}`, tokens]))
  return jobs.flatMap((job) => {
    const [from, to] = hoursOf(job, jobs)
    if (job.terms.tokens == null) return []
    const [model = ''] = partsOfName(job.name)
    return costs.closed.flatMap((hour) => {
      if (hour < from || hour >= to || costs.frozen.has(hour) || costs.stale.has(hour)) return []
      const [is, should] = [kept.get(`${hour} ${model}`) ?? 0n, sums.get(`${hour} ${model}`) ?? 0n]
      return is === should
        ? []
        : [finding(`${hour} served ${model}`, `${is} tokens are kept, and ${should} were served`)]
    })
  })
}
