import type { Books, Finding, IntervalRecord, UpperRecord } from './records.ts'

const hour_ms = 3_600_000

/**
 * Meters above others, from outside: what each showed less what those below showed in its time is what is booked of it, after what
 * earlier intervals of its hour owe. Energy of an interval that reaches over an edge is cut in proportion to time, in whole mJ.
 */
export function checkLevels({ intervals, upper = [], upperParts = [] }: Books): Finding[] {
  const partsOf = Map.groupBy(upperParts, ({ meter, sequence }) => `${meter}/${sequence}`)
  const above = new Set(upper.map(({ meter }) => meter))
  const shown = Map.groupBy<string, IntervalRecord>(
    [...intervals.filter(({ meter }) => !above.has(meter)), ...upper.map((one) => ({ ...one, posted: true }))],
    ({ meter }) => meter,
  )
  const booked = new Map(intervals.map((one) => [`${one.meter}/${one.sequence}`, one.energy_mj]))
  return [...Map.groupBy(upper, ({ meter }) => meter).values()].flatMap((rows) => {
    const findings: Finding[] = []
    let [hour, owed] = [Number.NaN, 0n]
    for (const row of rows.toSorted((a, b) => a.sequence - b.sequence)) {
      if (row.booked_mj === null) continue
      const subject = `${row.meter}/${row.sequence}`
      const ends = Math.ceil(row.to_ms / hour_ms)
      if (ends !== hour) owed = 0n
      hour = ends
      const below = (partsOf.get(subject) ?? []).reduce(
        (sum, { below: meter, first, last }) => sum + within(row, shown.get(meter) ?? [], first, last),
        0n,
      )
      const due = row.reset ? -owed : row.energy_mj - below - owed
      const [books, owes] = due > 0n ? [due, 0n] : [0n, -due]
      owed = owes
      const is = booked.get(subject)
      if (is !== books)
        findings.push(finding(subject, `${is} mJ are booked, and ${books} mJ are beyond the meters below`))
      if (row.owed_mj !== owes)
        findings.push(finding(subject, `owes ${row.owed_mj} mJ by the books, ${owes} mJ by its readings`))
    }
    return findings
  })
}

const finding = (subject: string, message: string): Finding => ({ kind: 'energy', subject, message })

function within(
  { from_ms, to_ms }: UpperRecord,
  below: readonly IntervalRecord[],
  first: number | null,
  last: number | null,
): bigint {
  if (first === null || last === null) return 0n
  return below
    .filter(({ sequence }) => sequence >= first && sequence <= last)
    .reduce((sum, one) => sum + upTo(one, to_ms) - upTo(one, from_ms), 0n)
}

function upTo({ from_ms = 0, to_ms = 0, energy_mj }: IntervalRecord, at_ms: number): bigint {
  const past = BigInt(Math.min(Math.max(at_ms, from_ms), to_ms) - from_ms)
  return to_ms > from_ms ? (energy_mj * past) / BigInt(to_ms - from_ms) : 0n
}
