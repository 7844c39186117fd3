import type { Answer } from './answer.ts'
import { billedTokens } from './money.ts'
import type { BookClass, EngineCount, Finding, RequestRecord, TransferRecord } from './records.ts'
import { bookClasses, engineClasses } from './records.ts'

type Counts = Record<BookClass, number>
const none = (): Counts => ({ input_uncached: 0, cache_read: 0, cache_write: 0, output_visible: 0, reasoning: 0 })

/** Tokens of one request as transfers of the ledger, by class: served to the tenant, and wasted. */
function booked(
  transfers: readonly TransferRecord[],
  tenant: string,
): { served: Counts; wasted: Counts; strays: string[] } {
  const [served, wasted, strays] = [none(), none(), [] as string[]]
  for (const transfer of transfers.filter((one) => one.unit === 'token')) {
    const of = bookClasses.find((name) => transfer.credit.endsWith(`/${name}`))
    const side =
      transfer.credit === `${tenant}/${of}` ? served : transfer.credit.startsWith('waste/') ? wasted : undefined
    if (of && side) side[of] += Number(transfer.amount)
    else strays.push(transfer.credit)
  }
  return { served, wasted, strays }
}

/** By class, as the row has it. */
function counted(of: (name: BookClass) => number): Counts {
  const counts = none()
  for (const name of bookClasses) counts[name] = of(name)
  return counts
}

const asEngine = (counts: Counts): EngineCount => ({
  input_uncached: counts.input_uncached,
  cache_read: counts.cache_read,
  output: counts.output_visible + counts.reasoning,
})

const differences = (a: EngineCount, b: EngineCount): string[] =>
  engineClasses.filter((of) => a[of] !== b[of]).map((of) => `${of}: ${a[of]} and ${b[of]}`)

/** What one engine log knows of a request: its attempts by number. */
export type Logged = ReadonlyMap<number, EngineCount>

/** Row, ledger and the engine's own log agree on one request, by class. Engines without a log of ours are taken at the row's word. */
export function checkTokens(request: RequestRecord, transfers: readonly TransferRecord[], logged: Logged): Finding[] {
  const tenant = `tenant/${encodeURIComponent(request.tenant)}/${encodeURIComponent(request.application)}`
  const { served, wasted, strays } = booked(transfers, tenant)
  const finding = (message: string): Finding => ({ kind: 'tokens', subject: request.id, message })
  const findings = strays.map((account) => finding(`tokens went to ${account}`))

  const row = counted((of) => billedTokens(request, of))
  for (const of of bookClasses)
    if (row[of] !== served[of]) findings.push(finding(`served ${of}: ledger ${served[of]}, row ${row[of]}`))

  const total = none()
  for (const of of bookClasses) total[of] = served[of] + wasted[of]
  const made = madeFor(request, logged)
  findings.push(...differences(asEngine(total), made).map((text) => finding(`ledger and engine differ in ${text}`)))
  return findings
}

/** What engines made for a request: by the log of our own engine, by the row for attempts on engines that keep none for us. */
function madeFor(request: RequestRecord, logged: Logged): EngineCount {
  const foreign = request.attempts.filter((one) => one.replica !== ownEngine)
  const counts = [...logged.values(), ...foreign.map(({ usage }) => asEngine(counted((of) => usage[of]?.tokens ?? 0)))]
  const sum = { input_uncached: 0, cache_read: 0, output: 0 }
  for (const count of counts) for (const of of engineClasses) sum[of] += count[of]
  return sum
}

/** The engine whose log we hold. */
const ownEngine = 'embedded'

/** A client with a whole answer: billed once and not at zero; the usage it was shown is what was billed and what the engine did. */
export function checkAnswer(answer: Answer, request: RequestRecord, logged: Logged): Finding[] {
  const finding = (message: string): Finding => ({ kind: 'tokens', subject: request.id, message })
  if (answer.failed && (request.outcome === 'complete' || request.outcome === 'client_closed'))
    return [finding(`its client was told of a failure, and the books bill it as ${request.outcome}`)]
  if (!answer.complete) return []
  if (request.outcome !== 'complete') return [finding(`its client got all of it, the books say ${request.outcome}`)]

  const billed = asEngine(counted((of) => billedTokens(request, of)))
  const made = asEngine(counted((of) => request.attempts.at(-1)?.usage[of]?.tokens ?? 0))
  const findings: Finding[] = []
  if (billed.input_uncached + billed.cache_read === 0)
    findings.push(finding('its client got all of it, billed at zero'))
  if (!answer.usage) return findings
  const { prompt_tokens, cached_tokens, completion_tokens } = answer.usage
  const told: EngineCount = {
    input_uncached: prompt_tokens - cached_tokens,
    cache_read: cached_tokens,
    output: completion_tokens,
  }
  findings.push(...differences(told, made).map((text) => finding(`told to the client and made differ in ${text}`)))
  const last = logged.get(request.attempts.at(-1)?.number ?? 0)
  if (last)
    findings.push(...differences(told, last).map((text) => finding(`told to the client and engine differ in ${text}`)))
  return findings
}
