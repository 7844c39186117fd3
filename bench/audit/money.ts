import type { BookClass, Books, Finding, RequestRecord, TransferRecord } from './records.ts'
import { bookClasses } from './records.ts'

export const billedOutcomes: ReadonlySet<string> = new Set(['complete', 'client_closed', 'budget_exhausted', 'denied'])

/** What of a class a request is billed for: what its last attempt used, less what an allowance had no room for. */
export function billedTokens({ outcome, attempts }: RequestRecord, of: BookClass): number {
  const last = billedOutcomes.has(outcome) ? attempts.at(-1) : undefined
  return (last?.usage[of]?.tokens ?? 0) - (last?.unbilled?.[of]?.tokens ?? 0)
}

/** Tokens × nano-dollars per million, half up, worked out by division with remainder rather than as the books do it. */
export function charged(tokens: number, perMillion: bigint): bigint {
  const product = BigInt(tokens) * perMillion
  const whole = product / 1_000_000n
  return (product % 1_000_000n) * 2n >= 1_000_000n ? whole + 1n : whole
}

/** Half up, by division with remainder. */
const percentOf = (amount: bigint, percent: bigint): bigint =>
  (amount * percent) / 100n + ((amount * percent) % 100n >= 50n ? 1n : 0n)

/** What a request owes by class, from its own row and the price it was admitted under; undefined: that price is not there. */
export function owed(request: RequestRecord, books: Books): Map<string, bigint> | undefined {
  const due = new Map<string, bigint>()
  const last = request.attempts.at(-1)
  const { cached, model } = request
  if (!(last || cached) || !billedOutcomes.has(request.outcome) || request.price_version === null) return due
  const price = books.prices.find((one) => one.version === request.price_version)
  if (!price) return undefined
  for (const of of bookClasses) {
    const made = charged(billedTokens(request, of), price.perMillion[of])
    if (made > 0n) due.set(`revenue/${encodeURIComponent(model)}/${of}`, made)
    const spared = charged(cached?.usage[of]?.tokens ?? 0, percentOf(price.perMillion[of], price.hitPercent ?? 0n))
    if (spared > 0n) due.set(`revenue/${encodeURIComponent(model)}/cache_hit/${of}`, spared)
  }
  return due
}

/** What comes back of it: of a whole answer that was streamed and began later than its price promises. */
export function dueBack(
  { outcome, stream, ttft_ms, price_version }: RequestRecord,
  due: Iterable<bigint>,
  books: Books,
): bigint {
  const rule = books.prices.find((one) => one.version === price_version)?.refund
  if (!rule || outcome !== 'complete' || !stream || ttft_ms === null || ttft_ms === undefined) return 0n
  if (ttft_ms <= rule.ttft_ms) return 0n
  let charges = 0n
  for (const amount of due) charges += amount
  const [back, rest] = [(charges * rule.percent) / 100n, (charges * rule.percent) % 100n]
  return rest >= 50n ? back + 1n : back
}

/**
 * The money transfers of a request are exactly what it owes: per class, from its own tenant, to its model's revenue; and, where
 * a promise was missed, what comes back to it.
 */
export function checkMoney(request: RequestRecord, transfers: readonly TransferRecord[], books: Books): Finding[] {
  const finding = (message: string): Finding => ({ kind: 'money', subject: request.id, message })
  const due = owed(request, books)
  if (!due) return [finding(`price version ${request.price_version} is not in the export`)]

  const astray = wrongSite(request, books)
  const payer = `tenant/${encodeURIComponent(request.tenant)}/${encodeURIComponent(request.application)}`
  const findings: Finding[] = astray ? [finding(astray)] : []
  const paid = new Map<string, bigint>()
  let back = 0n
  for (const transfer of transfers.filter((one) => one.unit === 'nano-USD')) {
    if (transfer.debit === payer.replace('tenant', 'refund') && transfer.credit === payer) {
      back += transfer.amount
      continue
    }
    if (transfer.debit !== payer) findings.push(finding(`${transfer.debit} pays for what ${payer} asked`))
    paid.set(transfer.credit, (paid.get(transfer.credit) ?? 0n) + transfer.amount)
  }
  const expectedBack = dueBack(request, due.values(), books)
  if (back !== expectedBack) findings.push(finding(`refund: ${back} nano-USD booked, ${expectedBack} is due`))
  for (const account of new Set([...due.keys(), ...paid.keys()])) {
    const [expected, booked] = [due.get(account) ?? 0n, paid.get(account) ?? 0n]
    if (expected !== booked)
      findings.push(finding(`${account}: ${booked} nano-USD booked, tokens × price is ${expected}`))
  }
  return findings
}

/** A price for a site is for what was answered there, and for nothing else; undefined: it is. */
function wrongSite({ attempts, cached, price_version }: RequestRecord, books: Books): string | undefined {
  const price = books.prices.find((one) => one.version === price_version)
  const answered = attempts.at(-1) ?? cached
  const at = answered?.site ?? 'main'
  if (!answered || price?.site === undefined || price.site === at) return undefined
  return `answered at ${at} and charged at the price of ${price.site}`
}
