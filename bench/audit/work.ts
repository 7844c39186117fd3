import type { Books, EngineLogFile, Finding, RequestRecord, WorkRecord } from './records.ts'
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
 * What utilisation is made of, from outside: who held an engine's busy seconds held all of them; and busy seconds, tokens by whose they were and
 * the time that the cache was held, worked out anew: of the engine inside from its logs, of engines elsewhere from how answers came.
 */
export function checkWork(books: Books, logs: readonly EngineLogFile[] = []): Finding[] {
  const { work, costs } = books
  if (!work || !costs) return []
  const facts = { rows: books.requests, causes: causesOf(books), logged: loggedWork(logs) }
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
    if (costs.frozen.has(hour)) return findings
    const did = replica === 'embedded' ? workInside(facts, hour) : workElsewhere(facts, hour, replica)
    return did ? [...findings, ...compare(name, busy_s, mine, did)] : findings
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

interface Facts {
  readonly rows: readonly RequestRecord[]
  readonly causes: ReadonlyMap<string, string>
  readonly logged: Logged
}

/** What an engine did in an hour. */
class Did {
  readonly seconds = new Set<number>()
  readonly sums = new Map<string, Sums>()

  of(tenant: string, application: string, model: string, cause: string): Sums {
    const key = JSON.stringify([tenant, application, model, cause])
    const known = this.sums.get(key) ?? { prompt: 0, output: 0, kv_token_ms: 0n }
    this.sums.set(key, known)
    return known
  }
}

function workElsewhere({ rows, causes }: Facts, hour: number, replica: string): Did {
  const [from_ms, to_ms] = [hour * hour_ms, (hour + 1) * hour_ms]
  const did = new Did()
  for (const row of rows) {
    if ((row.closed_ms ?? 0) < from_ms || (row.at_ms ?? 0) >= to_ms) continue
    for (const one of attempted(row, replica)) {
      for (const second of secondsOf(one, hour * hour_s, (hour + 1) * hour_s)) did.seconds.add(second)
      const sums = did.of(row.tenant, row.application, row.model, causes.get(`${row.id}/${one.number}`) ?? '')
      const [before, after] = [doneBy(one, from_ms), doneBy(one, to_ms)]
      sums.prompt += after.prompt - before.prompt
      sums.output += after.output - before.output
      if (Math.floor((row.closed_ms ?? 0) / hour_ms) === hour) sums.kv_token_ms += heldTokenMs(one)
    }
  }
  return did
}

interface Logged {
  /** Models by attempt. */
  readonly models: Map<string, string>
  readonly hours: Map<number, { second: number; attempt: string; prompt: number; output: number }[]>
}

/** Steps by the second in which they ended; what an older log says of a prompt, by the second in which it began. */
function loggedWork(files: readonly EngineLogFile[]): Logged {
  const logged: Logged = { models: new Map(), hours: new Map() }
  const add = (at_ms: number, attempt: string, prompt: number, output: number): void => {
    const second = Math.floor(at_ms / 1000)
    const hour = Math.floor(second / hour_s)
    const known = logged.hours.get(hour) ?? []
    known.push({ second, attempt, prompt, output })
    logged.hours.set(hour, known)
  }
  for (const line of files.flatMap(({ lines }) => lines)) {
    if (line.log === 'begin') {
      logged.models.set(line.id, line.model ?? '')
      if (!line.prompt_in_steps && line.input_uncached > 0) add(line.at_ms ?? 0, line.id, 0, 0)
    }
    if (line.log !== 'step') continue
    for (const [attempt, output, prompt, context] of line.made)
      if (prompt !== undefined && context !== undefined) add(line.at_ms ?? 0, attempt, prompt, output)
      else if (output > 0) add(line.at_ms ?? 0, attempt, 0, 0)
  }
  return logged
}

/** Undefined: the logs of a request that was under way are gone. */
function workInside({ rows, causes, logged }: Facts, hour: number): Did | undefined {
  const did = new Did()
  const byId = new Map(rows.map((row) => [row.id, row]))
  for (const row of rows) {
    const within = (row.closed_ms ?? 0) >= hour * hour_ms && (row.at_ms ?? 0) < (hour + 1) * hour_ms
    for (const one of within ? attempted(row, 'embedded') : []) {
      if (!logged.models.has(`${row.id}/${one.number}`)) return undefined
      if (Math.floor((row.closed_ms ?? 0) / hour_ms) !== hour) continue
      const cause = causes.get(`${row.id}/${one.number}`) ?? ''
      did.of(row.tenant, row.application, row.model, cause).kv_token_ms += heldTokenMs(one)
    }
  }
  for (const { second, attempt, prompt, output } of logged.hours.get(hour) ?? []) {
    did.seconds.add(second)
    const row = byId.get(attempt.slice(0, attempt.lastIndexOf('/')))
    const model = row?.model ?? logged.models.get(attempt) ?? ''
    const cause = causes.get(attempt) ?? (row ? '' : 'foreign')
    const sums = did.of(row?.tenant ?? '', row?.application ?? '', model, cause)
    sums.prompt += prompt
    sums.output += output
  }
  return did
}

function compare(name: string, busy_s: number, kept: readonly WorkRecord[], { seconds, sums: due }: Did): Finding[] {
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
