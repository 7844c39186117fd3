import { dueBack, owed } from './money.ts'
import type { Books, Finding, RequestRecord, StatementRecord } from './records.ts'

const day_ms = 86_400_000

/** Which declarations are said to be in force is taken from the statement; what they say, from the books, line by line. */
export function checkExchange(books: Books, statements: readonly StatementRecord[]): Finding[] {
  return statements.flatMap((statement) => {
    const { tenant, from_ms, billing } = statement
    const subject = `statement of ${tenant} from ${new Date(from_ms).toISOString().slice(0, 10)}`
    const finding = (message: string): Finding => ({ kind: 'money', subject, message })
    const currency = currencyOf(books, tenant, Math.floor(from_ms / day_ms), billing?.exchange_version)
    if (currency === undefined) return billing ? [finding(`is in ${billing.currency}, which nobody declared`)] : []
    if (billing?.currency !== currency) return [finding(`is in ${billing?.currency ?? 'USD'}, and not in ${currency}`)]
    const { usd, foreign, missing } = byDay(books, statement, currency)
    if (missing !== undefined) return [finding(`there is no rate of ${currency} for day ${missing}`)]
    const lines = [
      ...statement.lines.map(({ billed }) => nano(billed)),
      ...statement.refunds.map(({ billed }) => -nano(billed)),
    ]
    const total = nano(billing.total)
    const found: Finding[] = []
    if (nano(statement.total_usd) !== usd)
      found.push(finding(`${statement.total_usd} USD, and requests owe ${usd} nano-USD`))
    const off = total * unit - foreign
    if (off >= unit || off <= -unit)
      found.push(finding(`${billing.total} ${currency}, and charges are ${foreign} of 10^-21`))
    const owes = nearest(foreign + ofTerms(books, statement, currency))
    if (nano(billing.due) !== owes)
      found.push(finding(`${billing.due} ${currency} are due, and it is ${owes} of 10^-9`))
    if (lines.reduce((a, b) => a + b, 0n) !== total) found.push(finding('its lines do not add up to its total'))
    const made = total - nano(billing.taken_off) + nano(billing.shortfall) - nano(billing.credit)
    if (made !== nano(billing.due)) found.push(finding('what is due is not what it is made of'))
    return found
  })
}

/** Of tenants that are billed in another currency than dollars: months, as far as their requests are kept. Days are rolled up whole. */
export function billedMonths(books: Books): { readonly tenant: string; readonly from: string; readonly to: string }[] {
  const date = (at_ms: number): string => new Date(at_ms).toISOString().slice(0, 10)
  const tenants = new Set((books.exchange?.currencies ?? []).map(({ tenant }) => tenant))
  return [...tenants].flatMap((tenant) => {
    const closed = books.requests.filter((one) => one.tenant === tenant).map(({ closed_ms = 0 }) => date(closed_ms))
    return [...Map.groupBy(closed, (day) => day.slice(0, 7)).values()].map((days) => ({
      tenant,
      from: days.reduce((a, b) => (a < b ? a : b)),
      to: date(Date.parse(days.reduce((a, b) => (a > b ? a : b))) + day_ms),
    }))
  })
}

/** Undefined: dollars. */
function currencyOf({ exchange }: Books, tenant: string, day: number, version = Number.POSITIVE_INFINITY) {
  let said = 'USD'
  for (const one of exchange?.currencies ?? [])
    if (one.tenant === tenant && one.version <= version && one.from_day <= day) said = one.currency
  return said === 'USD' ? undefined : said
}

/** Of its requests, day by day: nano-dollars, and the sum of them times each day's rate, in 10^-21. */
function byDay(books: Books, { tenant, from_ms, to_ms, billing }: StatementRecord, currency: string) {
  const days = new Map<number, bigint>()
  for (const request of books.requests) {
    const { closed_ms = 0 } = request
    if (request.tenant !== tenant || closed_ms < from_ms || closed_ms >= to_ms) continue
    const day = Math.floor(closed_ms / day_ms)
    days.set(day, (days.get(day) ?? 0n) + chargeOf(request, books))
  }
  let [usd, foreign] = [0n, 0n]
  for (const [day, amount] of days) {
    const rate = rateOf(books, currency, day, billing?.exchange_version ?? 0)
    if (rate === undefined && amount !== 0n) return { usd, foreign, missing: day }
    usd += amount
    foreign += amount * (rate ?? 0n)
  }
  return { usd, foreign, missing: undefined }
}

/** What terms moved, from what is owed: credit and what is taken off lower it, what a commitment lacks does not. In 10^-21. */
function ofTerms(books: Books, { tenant, from_ms, to_ms, billing }: StatementRecord, currency: string) {
  const own = encodeURIComponent(tenant)
  const isOf = (account: string, ...kinds: string[]): boolean => kinds.some((kind) => account.startsWith(`${kind}/`))
  let sum = 0n
  for (const { id, unit: of, debit, credit, amount, at_ms = 0 } of books.transfers) {
    if (of !== 'nano-USD' || !id.startsWith(`terms/${own}/`) || at_ms < from_ms || at_ms >= to_ms) continue
    const rate = rateOf(books, currency, Math.floor(at_ms / day_ms), billing?.exchange_version ?? 0) ?? 0n
    const less = isOf(debit, 'credit', 'discount') && isOf(credit, 'tenant')
    const more = isOf(credit, 'credit', 'discount') && isOf(debit, 'tenant')
    const lacks = debit === `commitment/${own}` ? 1n : credit === `commitment/${own}` ? -1n : 0n
    sum += amount * rate * (less ? -1n : more ? 1n : lacks)
  }
  return sum
}

function chargeOf(request: RequestRecord, books: Books): bigint {
  const due = [...(owed(request, books) ?? new Map<string, bigint>()).values()]
  return due.reduce((a, b) => a + b, 0n) - dueBack(request, due, books)
}

function rateOf(
  { exchange }: Pick<Books, 'exchange'>,
  currency: string,
  day: number,
  version: number,
): bigint | undefined {
  const known = (exchange?.rates ?? []).filter(
    (one) => one.currency === currency && one.version <= version && one.day <= day,
  )
  return known.toSorted((a, b) => b.day - a.day || b.version - a.version)[0]?.rate
}

/** Decimal text in 10^-9. */
function nano(text: string | undefined): bigint {
  const [, sign = '', whole = '0', fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(text ?? '') ?? []
  const value = BigInt(whole + fraction.padEnd(9, '0'))
  return sign === '-' ? -value : value
}

const unit = 1_000_000_000_000n

/** 10^-21 → 10^-9; half goes away from zero. */
function nearest(value: bigint): bigint {
  const [whole, rest] = [value / unit, value % unit]
  if (rest * 2n >= unit) return whole + 1n
  return rest * 2n <= -unit ? whole - 1n : whole
}
