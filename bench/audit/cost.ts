import type { Books, CostRecords, CostTermsRecord, Finding, TransferRecord } from './records.ts'

/**
 * What hours cost, from outside: the transfers of each hour and source add up to it, and it is what was declared, worked out
 * here by sweeping over moments and five minutes rather than as the books do it. By the sum alone: hosted engines, meters above others, and
 * electricity under a PUE that is measured. Demand charges and the making of models: beside.ts.
 */
export function checkCosts({ costs, transfers, upper = [] }: Books): Finding[] {
  if (!costs) return []
  const findings: Finding[] = []
  const moved = new Map<string, bigint>()
  const add = (key: string, amount: bigint): void => void moved.set(key, (moved.get(key) ?? 0n) + amount)
  for (const { id, unit, debit, credit, amount } of transfers) {
    const [of, hour, source = ''] = id.split('/')
    if (of !== 'cost') continue
    const from = decodeURIComponent(source)
    if (debit !== from && credit !== from) findings.push(finding(id, `moves nothing of ${from}`))
    add(`${hour} ${from} ${unit}`, debit === from ? amount : -amount)
  }
  const drawn = drawnByHour(transfers)
  const above = new Set(upper.map(({ meter }) => `electricity/${encodeURIComponent(meter)}`))
  for (const { hour, source, unit, amount, rolled } of costs.hours) {
    const key = `${hour} ${source} ${unit}`
    const is = moved.get(key) ?? 0n
    moved.delete(key)
    if (!rolled && is !== amount) findings.push(finding(key, `cost ${amount}, and ${is} are booked`))
    const judged = !rolled && !costs.unsettled.has(hour) && !above.has(source)
    const due = judged ? declaredFor(costs, hour, source, unit, drawn) : undefined
    if (due !== undefined && due !== amount) findings.push(finding(key, `cost ${amount}, and ${due} were declared`))
  }
  for (const [key, amount] of moved) if (amount !== 0n) findings.push(finding(key, `${amount} are booked for no hour`))
  return findings
}

const finding = (subject: string, message: string): Finding => ({ kind: 'money', subject, message })

const hour_ms = 3_600_000

/** Millijoules of a meter in the hour in which their interval ended. */
function drawnByHour(transfers: readonly TransferRecord[]): Map<string, bigint> {
  const drawn = new Map<string, bigint>()
  for (const { unit, debit, amount, at_ms } of transfers) {
    if (unit !== 'mJ' || at_ms === undefined) continue
    const key = `${Math.ceil(at_ms / hour_ms) - 1} ${debit}`
    drawn.set(key, (drawn.get(key) ?? 0n) + amount)
  }
  return drawn
}

function declaredFor(
  costs: CostRecords,
  hour: number,
  source: string,
  unit: string,
  drawn: ReadonlyMap<string, bigint>,
): bigint | undefined {
  const [kind, first = '', second = ''] = source.split('/').map(decodeURIComponent)
  if (kind === 'capacity') return byTime(costs, hour, 'capacity', first)
  if (kind === 'overhead') return byTime(costs, hour, first, second)
  if (kind !== 'electricity') return undefined
  const mj = drawn.get(`${hour} meter/${encodeURIComponent(first)}`) ?? 0n
  return byEnergy(costs, hour, unit === 'nano-USD' ? 'tariff' : 'carbon', first, mj)
}

/** Which price held in each stretch between two moments of the hour at which one began or ended. */
function byTime({ declared, given }: CostRecords, hour: number, kind: string, name: string): bigint {
  const [from, to] = [hour * hour_ms, (hour + 1) * hour_ms]
  const mine = declared.filter((one) => one.kind === kind && one.name === name)
  const spans = kind === 'capacity' ? given.filter(({ engine }) => engine === name) : []
  const edges = [...mine.map((one) => one.from_ms), ...spans.flatMap((one) => [one.from_ms, one.until_ms ?? to])]
  const cuts = [...new Set([from, to, ...edges.filter((at) => at > from && at < to)])].sort((a, b) => a - b)
  let sum = 0n
  for (const [index, at] of cuts.slice(0, -1).entries()) {
    const length = (cuts[index + 1] ?? at) - at
    sum += rateAt(mine, spans, at) * BigInt(length)
  }
  const [whole, rest] = [sum / BigInt(hour_ms), sum % BigInt(hour_ms)]
  return rest * 2n >= BigInt(hour_ms) ? whole + 1n : whole
}

/** Of all that began or ended up to a moment, the latest; of two at once, what was declared, and of these the later entry. */
function rateAt(declared: CostRecords['declared'], given: CostRecords['given'], at: number): bigint {
  const events = [
    ...given.map((one) => ({ at: one.from_ms, order: 0, rate: one.per_hour })),
    ...given.flatMap((one) => (one.until_ms === null ? [] : [{ at: one.until_ms, order: -1, rate: 0n }])),
    ...declared.map((one) => ({ at: one.from_ms, order: one.version, rate: BigInt(one.terms.amount ?? '0') })),
  ].filter((one) => one.at <= at)
  events.sort((a, b) => b.at - a.at || b.order - a.order)
  return events[0]?.rate ?? 0n
}

const five_ms = 300_000

function byEnergy(
  { declared }: CostRecords,
  hour: number,
  kind: string,
  meter: string,
  mj: bigint,
): bigint | undefined {
  const termsOf = (of: string): CostTermsRecord | undefined => termsOfMeter(declared, of, meter, hour)
  if (termsOf('pue')?.measured_by !== undefined) return undefined
  const [price, pue] = [termsOf(kind)?.series, termsOf('pue')?.series]
  let sum = 0n
  for (let at = hour * hour_ms; at < (hour + 1) * hour_ms; at += five_ms)
    sum += (price ? figureAt(price, at) : 0n) * (pue ? figureAt(pue, at) : 1_000_000n)
  const by = 12n * 1_000_000n * 3_600_000_000n
  const [whole, rest] = [(mj * sum) / by, (mj * sum) % by]
  return rest * 2n >= by ? whole + 1n : whole
}

/** A meter's own, or those of all, as they were when the hour began. */
export function termsOfMeter(
  declared: CostRecords['declared'],
  kind: string,
  meter: string,
  hour: number,
): CostTermsRecord | undefined {
  for (const name of [meter, 'all']) {
    const begun = declared.filter((one) => one.kind === kind && one.name === name && one.from_ms <= hour * hour_ms)
    begun.sort((a, b) => b.from_ms - a.from_ms || b.version - a.version)
    if (begun[0]) return begun[0].terms
  }
  return undefined
}

/** A point holds for an hour at most; then the first rule that fits, by local time; then the usual figure. */
export function figureAt(series: NonNullable<CostTermsRecord['series']>, at: number): bigint {
  const points = (series.points ?? []).filter((one) => one.at_ms <= at && at - one.at_ms < hour_ms)
  const last = points.at(-1)
  if (last) return BigInt(last.value)
  const local = new Date(at + (series.offset_min ?? 0) * 60_000)
  const [month, day, hour] = [local.getUTCMonth() + 1, local.getUTCDay(), local.getUTCHours()]
  for (const { months, weekdays, hours, value } of series.rules ?? []) {
    const [from = 0, to = 24] = hours ?? []
    const within = from < to ? from <= hour && hour < to : hour >= from || hour < to
    if ((months?.includes(month) ?? true) && (weekdays?.includes(day) ?? true) && within) return BigInt(value)
  }
  return BigInt(series.usual)
}
