import { checkLevels } from './levels.ts'
import type {
  Books,
  EngineRecord,
  Finding,
  IntervalRecord,
  Records,
  RequestRecord,
  Sample,
  TransferRecord,
} from './records.ts'
import { checkSlices } from './slices.ts'

export interface EnergyResult {
  readonly findings: Finding[]
  /** Millijoules from the first sample to the end of the last posted interval. */
  readonly measured_mj: bigint
  /** Millijoules in the books, of all meters. */
  readonly booked_mj: bigint
  /** Intervals after the last posted one: read, but not attributed when the factory was stopped. */
  readonly pending: number
}

/** Meter samples → the energy they prove; the books' intervals and transfers must say the same, to the millijoule. */
export function checkEnergy(
  records: Records,
  requests: ReadonlyMap<string, RequestRecord>,
  engine: EngineRecord,
): EnergyResult {
  const { books, meter: samples } = records
  const transfers = books.transfers.filter((one) => one.unit === 'mJ')
  const meters = [...new Set([...samples, ...books.intervals].map((one) => one.meter))].sort()
  const results = meters.map((meter) =>
    checkMeter(
      meter,
      samples.filter((one) => one.meter === meter),
      intervalsOf(books, meter),
      transfers.filter((one) => one.debit === `meter/${encodeURIComponent(meter)}`),
    ),
  )
  const known = new Set(meters.map((meter) => `meter/${encodeURIComponent(meter)}`))
  const strays = transfers
    .filter((one) => !known.has(one.debit))
    .map((one) => energyFinding(one.id, `energy from ${one.debit}, which has no samples`))
  const sum = (of: (result: EnergyResult) => bigint): bigint =>
    results.reduce((total, result) => total + of(result), 0n)
  return {
    findings: [
      ...results.flatMap((result) => result.findings),
      ...strays,
      ...transfers.flatMap((one) => checkBearer(one, requests, engine)),
      ...checkLevels(books),
      ...checkSlices(books, samples, requests),
    ],
    measured_mj: sum((result) => result.measured_mj),
    booked_mj: transfers.reduce((total, one) => total + one.amount, 0n),
    pending: results.reduce((total, result) => total + result.pending, 0),
  }
}

/** What a meter showed, and what of it is booked: all of it, but for a meter above others (levels.ts). */
interface Shown extends IntervalRecord {
  readonly booked_mj: bigint
}

function intervalsOf({ intervals, upper = [] }: Books, meter: string): Shown[] {
  const above = upper.filter((one) => one.meter === meter)
  if (above.length > 0)
    return above.map((one) => ({ ...one, posted: one.booked_mj !== null, booked_mj: one.booked_mj ?? 0n }))
  return intervals.filter((one) => one.meter === meter).map((one) => ({ ...one, booked_mj: one.energy_mj }))
}

/** Of what the samples prove, less what the meters below are booked for. */
const dueOf = (energy: bigint, shown: Shown | undefined): bigint =>
  shown ? energy - shown.energy_mj + shown.booked_mj : energy

const energyFinding = (subject: string, message: string): Finding => ({ kind: 'energy', subject, message })

/** One meter: its samples in order, each pair with its interval, each interval with its transfers. */
function checkMeter(
  meter: string,
  unsorted: readonly Sample[],
  intervals: readonly Shown[],
  transfers: readonly TransferRecord[],
): EnergyResult {
  const samples = [...unsorted].sort((a, b) => a.sequence - b.sequence)
  const bySequence = new Map(samples.map((sample) => [sample.sequence, sample]))
  const findings = gaps(meter, samples)
  const posted = intervals.filter((one) => one.posted)
  const lastPosted = Math.max(0, ...posted.map((one) => one.sequence))
  const lastRead = Math.max(0, ...intervals.map((one) => one.sequence))

  let measured_mj = 0n
  samples.forEach((after, index) => {
    const before = samples[index - 1]
    if (!before || after.sequence > lastRead) return
    const energy = drawn_mj(before, after)
    const booked = intervals.find(({ sequence }) => sequence === after.sequence)
    if (after.sequence <= lastPosted) measured_mj += dueOf(energy, booked)
    findings.push(...checkInterval(after, energy, intervals, transfers))
  })
  for (const one of intervals)
    if (!bySequence.has(one.sequence) || !bySequence.has(one.sequence - 1))
      findings.push(energyFinding(`${meter}/${one.sequence}`, 'an interval of the books lacks one of its two samples'))
  const named = new Set(posted.map((one) => `${meter}/${one.sequence}`))
  for (const transfer of transfers)
    if (!named.has(intervalOf(transfer, meter)))
      findings.push(energyFinding(transfer.id, 'energy is posted for an interval that the books do not hold as posted'))
  for (const one of intervals)
    if (!one.posted && one.sequence < lastPosted)
      findings.push(energyFinding(`${meter}/${one.sequence}`, 'not attributed, though later intervals are'))
  const pending = intervals.filter((one) => one.sequence > lastPosted).length
  return { findings, measured_mj, booked_mj: 0n, pending }
}

function gaps(meter: string, samples: readonly Sample[]): Finding[] {
  return samples.flatMap((sample, index): Finding[] => {
    const before = samples[index - 1]
    if (!before || sample.sequence === before.sequence + 1) return []
    const message = `sample ${sample.sequence} follows ${before.sequence}`
    return [{ kind: 'record', subject: `${meter}/${sample.sequence}`, message }]
  })
}

function checkInterval(
  after: Sample,
  energy: bigint,
  intervals: readonly Shown[],
  transfers: readonly TransferRecord[],
): Finding[] {
  const subject = `${after.meter}/${after.sequence}`
  const [booked, ...more] = intervals.filter((one) => one.sequence === after.sequence)
  if (!booked) return [energyFinding(subject, 'two samples, and no interval in the books')]
  if (more.length > 0) return [{ kind: 'doubled', subject, message: 'the interval is in the books more than once' }]
  const findings: Finding[] = []
  if (booked.energy_mj !== energy)
    findings.push(energyFinding(subject, `the books say ${booked.energy_mj} mJ, the samples ${energy} mJ`))
  const attributed = transfers
    .filter((one) => intervalOf(one, after.meter) === subject)
    .reduce((sum, one) => sum + one.amount, 0n)
  const due = booked.posted ? dueOf(energy, booked) : 0n
  if (attributed !== due)
    findings.push(energyFinding(subject, `requests + waste + idle = ${attributed} mJ of ${due} mJ`))
  return findings
}

/** `<meter>/<sequence>` of a posting named `<meter>/<sequence>/<attempt or idle>`. */
function intervalOf(transfer: TransferRecord, meter: string): string {
  const rest = transfer.id.startsWith(`${meter}/`) ? transfer.id.slice(meter.length + 1) : ''
  return `${meter}/${rest.slice(0, rest.indexOf('/'))}`
}

/**
 * Energy between two readings, worked out anew: a counter's difference in whole millijoules at each end, with its wrap, and
 * nothing where that is more than could be drawn; mean power × time, and nothing over more than a minute;
 * or idle watts × time + (full − idle) watts × busy core-seconds / cores.
 */
export function drawn_mj(before: Sample, after: Sample): bigint {
  const seconds = Math.max(0, after.at_ms - before.at_ms) / 1000
  if (before.kind === 'energy_counter' && after.kind === 'energy_counter') {
    const [first, last, wrap] = [before.energy_uj, after.energy_uj, before.wraps_at_uj].map(wholeMillijoules)
    if (first === undefined || last === undefined || wrap === undefined) return 0n
    const wrapped = before.energy_uj > before.wraps_at_uj / 2 && last + wrap >= first
    const drawn = last >= first ? last - first : wrapped ? last + wrap - first : last
    return Number(drawn) > (after.most_watts ?? Number.POSITIVE_INFINITY) * seconds * 1000 ? 0n : drawn
  }
  if (before.kind === 'power' && after.kind === 'power')
    return seconds > 60 ? 0n : BigInt(Math.round(((before.watts + after.watts) / 2) * seconds * 1000))
  if (before.kind === 'cpu_time' && after.kind === 'cpu_time') {
    if (seconds === 0) return 0n
    const busy = (after.busy_ms < before.busy_ms ? after.busy_ms : after.busy_ms - before.busy_ms) / 1000
    const share = Math.min(1, busy / (after.cores * seconds))
    return BigInt(Math.round((after.idle_watts + (after.full_watts - after.idle_watts) * share) * seconds * 1000))
  }
  return 0n
}

const wholeMillijoules = (microjoules: number): bigint => BigInt(Math.floor(microjoules / 1000))

/** An engine elsewhere may have a meter and keeps no log for us: the journal's row is what knows its attempts. */
const isElsewhere = (request: RequestRecord | undefined, attempt: string): boolean =>
  request?.attempts.some(
    ({ number, replica }) => replica !== 'embedded' && attempt.endsWith(`${request.id}/${number}`),
  ) ?? false

/** Joules of an attempt are borne by the tenant who asked, or by waste; and the engine's log knows the attempt. */
function checkBearer(
  transfer: TransferRecord,
  requests: ReadonlyMap<string, RequestRecord>,
  engine: EngineRecord,
): Finding[] {
  if (transfer.request === null) return []
  const attempt = /[^/]+\/\d+$/.exec(transfer.id)?.[0] ?? ''
  const request = requests.get(transfer.request)
  if (!engine.attempts.has(attempt) && !isElsewhere(request, attempt))
    return [{ kind: 'unknown', subject: transfer.request, message: `joules for ${attempt}, which no engine log knows` }]
  if (!request)
    return [{ kind: 'unknown', subject: transfer.request, message: `joules for a request that is not booked` }]
  const own = `tenant/${encodeURIComponent(request.tenant)}/${encodeURIComponent(request.application)}`
  if (transfer.credit === own || transfer.credit.startsWith('waste/')) return []
  return [energyFinding(request.id, `its joules are borne by ${transfer.credit}`)]
}
