import type { Books, Finding, RequestRecord, WorkRecord } from './records.ts'
import { attempted, doneBy, heldTokenMs, secondsOf } from './timeline.ts'

const hour_s = 3600
const hour_ms = hour_s * 1000

const finding = (subject: string, message: string): Finding => ({ kind: 'tokens', subject, message })

interface Sums {
  prompt: number
  output: number
  kv_token_ms: bigint
}

/**
 * What utilisation is made of, from outside: who held an engine's busy seconds held all of them; and of engines that keep no log for us, busy
 * seconds, tokens by whose they were and the time that the cache was held, worked out anew from requests and the ledger.
 */
export function checkWork(books: Books): Finding[] {
  const { work } = books
  const costs = books.costs
  if (!work || !costs) return []
  const causes = causesOf(books)
  const shares = Map.groupBy(work.shares, ({ hour, replica }) => `${hour} ${replica}`)
  return work.busy.flatMap(({ hour, replica, busy_s }) => {
    if (costs.stale.has(hour)) return []
    const name = `${hour} ${replica}`
    const mine = shares.get(name) ?? []
    const held = mine.reduce((sum, { held_ns }) => sum + held_ns, 0n)
    const findings =
      held === BigInt(busy_s) * 1_000_000_000n
        ? []
        : [finding(name, `${busy_s} s were busy, and ${held} ns of it held`)]
    if (replica === 'embedded' || costs.frozen.has(hour)) return findings
    return [...findings, ...checkHour(name, hour, replica, busy_s, mine, books.requests, causes)]
  })
}

/** By the ledger: an attempt of which something went to a tenant was for something. */
function causesOf({ transfers }: Books): ReadonlyMap<string, string> {
  const causes = new Map<string, string>()
  for (const { id, unit, credit } of transfers) {
    if (unit !== 'token') continue
    const attempt = id.slice(0, id.indexOf('/token/'))
    const [to, cause = ''] = credit.split('/').map(decodeURIComponent)
    if (to === 'tenant') causes.set(attempt, '')
    else if (to === 'waste' && !causes.has(attempt)) causes.set(attempt, cause)
  }
  return causes
}

function checkHour(
  name: string,
  hour: number,
  replica: string,
  busy_s: number,
  kept: readonly WorkRecord[],
  requests: readonly RequestRecord[],
  causes: ReadonlyMap<string, string>,
): Finding[] {
  const [from_ms, to_ms] = [hour * hour_ms, (hour + 1) * hour_ms]
  const seconds = new Set<number>()
  const due = new Map<string, Sums>()
  for (const row of requests) {
    if ((row.closed_ms ?? 0) < from_ms || (row.at_ms ?? 0) >= to_ms) continue
    for (const one of attempted(row, replica)) {
      for (const second of secondsOf(one, hour * hour_s, (hour + 1) * hour_s)) seconds.add(second)
      const cause = causes.get(`${row.id}/${one.number}`) ?? ''
      const key = JSON.stringify([row.tenant, row.application, row.model, cause])
      const sums = due.get(key) ?? { prompt: 0, output: 0, kv_token_ms: 0n }
      due.set(key, sums)
      const [before, after] = [doneBy(one, from_ms), doneBy(one, to_ms)]
      sums.prompt += after.prompt - before.prompt
      sums.output += after.output - before.output
      if (Math.floor((row.closed_ms ?? 0) / hour_ms) === hour) sums.kv_token_ms += heldTokenMs(one)
    }
  }
  const findings =
    seconds.size === busy_s ? [] : [finding(name, `${busy_s} s are kept as busy, and ${seconds.size} s were`)]
  const is = new Map(
    kept.map(({ tenant, application, model, cause, prefill, decode, kv_token_ms }) => [
      JSON.stringify([tenant, application, model, cause]),
      { prompt: prefill, output: decode, kv_token_ms },
    ]),
  )
  const text = (sums: Sums | undefined): string =>
    `${sums?.prompt ?? 0} + ${sums?.output ?? 0} tokens and ${sums?.kv_token_ms ?? 0n} token ms`
  for (const key of new Set([...is.keys(), ...due.keys()]))
    if (text(is.get(key)) !== text(due.get(key)))
      findings.push(
        finding(`${name} ${key}`, `kept are ${text(is.get(key))}, and its requests had ${text(due.get(key))}`),
      )
  return findings
}
