/**
 * What agreements take off, and what commitments lack, worked out again from requests, prices and what was declared: a month at a time,
 * and not as the books do it. Months of which a day is rolled up are not judged, nor is credit.
 */
import { billedOutcomes, dueBack, owed } from './money.ts'
import type { AgreementRecord, BookClass, Books, Finding, RequestRecord, TermsRecords } from './records.ts'
import { bookClasses } from './records.ts'

const hour_ms = 3_600_000
const whole = 1_000_000n

export function checkTerms(books: Books): Finding[] {
  const { terms } = books
  if (!terms) return []
  const findings: Finding[] = []
  const booked = bookedLines(books, findings)
  for (const { tenant, first, next } of terms.hours) {
    const from = Math.max(first, terms.rolledUntilHour === 0 ? 0 : monthAfter(terms.rolledUntilHour - 1))
    const due = dueLines(books, terms, tenant, first, from, next)
    const own = `${encodeURIComponent(tenant)}/`
    for (const [line, amount] of due) {
      const is = booked.get(own + line) ?? 0n
      booked.delete(own + line)
      if (is !== amount) findings.push(finding(own + line, `${is} nano-USD booked, ${amount} are due`))
    }
    for (const [line, amount] of booked) {
      const hour = Number(line.slice(own.length).split('/', 1)[0])
      if (!line.startsWith(own) || hour < from || hour >= next) continue
      if (amount !== 0n) findings.push(finding(line, `${amount} nano-USD booked, and nothing is due`))
    }
  }
  return findings
}

const finding = (subject: string, message: string): Finding => ({ kind: 'money', subject: `terms/${subject}`, message })

/** `TENANT/HOUR/KIND/MODEL/VERSION/APPLICATION` → what all revisions of the line come to. */
function bookedLines({ transfers }: Books, findings: Finding[]): Map<string, bigint> {
  const booked = new Map<string, bigint>()
  for (const { id, unit, debit, credit, amount } of transfers) {
    const [of, tenant = '', hour = '', kind = '', model = '', version = '', application = ''] = id.split('/')
    if (of !== 'terms' || !['free', 'graduated', 'volume', 'commitment'].includes(kind)) continue
    const [out, into] =
      kind === 'commitment'
        ? [`commitment/${tenant}`, `shortfall/${tenant}`]
        : [`discount/${tenant}/${application}`, `tenant/${tenant}/${application}`]
    const right = debit === out && credit === into
    if (unit !== 'nano-USD' || !(right || (debit === into && credit === out)))
      findings.push({ kind: 'money', subject: id, message: `moves ${unit} from ${debit} to ${credit}` })
    const line = [tenant, Number(hour), kind, model, version, application].join('/')
    booked.set(line, (booked.get(line) ?? 0n) + (right ? amount : -amount))
  }
  return booked
}

/** One class of token of a model and an application in an hour. */
interface Lot {
  readonly application: string
  readonly model: string
  readonly of: BookClass
  tokens: bigint
  /** What counts, and what is still to be paid of it. */
  net: bigint
  rest: bigint
}

function dueLines(books: Books, terms: TermsRecords, tenant: string, first: number, from: number, next: number) {
  const due = new Map<string, bigint>()
  const byHour = Map.groupBy(
    books.requests.filter((one) => one.tenant === tenant),
    ({ closed_ms = 0 }) => Math.floor(closed_ms / hour_ms),
  )
  const hours = [...byHour.keys()].filter((hour) => hour >= first && hour < next).sort((a, b) => a - b)
  const mine = terms.agreements.filter((one) => one.tenant === tenant || one.tenant === null)
  for (let month = monthOf(first); month < next; month = monthAfter(month)) {
    const end = monthAfter(month)
    const used = new Map<number, Lot[]>()
    let spent = 0n
    for (const hour of hours.filter((each) => each >= month && each < end)) {
      const { lots, owing } = lotsOf(byHour.get(hour) ?? [], books)
      spent += owing
      spent -= takeHour(valid(mine, hour), used, lots, (line, amount) => {
        if (hour >= from) due.set(`${hour}/${line}`, (due.get(`${hour}/${line}`) ?? 0n) + amount)
      })
    }
    const promise = valid(mine, end - 1).find(({ kind }) => kind === 'commitment')
    if (promise && end <= next && end - 1 >= from && promise.amount > spent)
      due.set(`${end - 1}/commitment//${promise.version}/`, promise.amount - spent)
  }
  return due
}

/** Charges of an hour by class, refunds divided over them; and all that is owed for it. */
function lotsOf(requests: readonly RequestRecord[], books: Books): { lots: Lot[]; owing: bigint } {
  const lots = new Map<string, Lot>()
  const back = new Map<string, bigint>()
  let owing = 0n
  for (const request of requests) {
    const { application, model } = request
    const charges = owed(request, books) ?? new Map<string, bigint>()
    for (const [account, amount] of charges) {
      const of = account.slice(account.lastIndexOf('/') + 1) as BookClass
      const usage = account.includes('/cache_hit/') ? request.cached?.usage : request.attempts.at(-1)?.usage
      const name = JSON.stringify([application, model, bookClasses.indexOf(of)])
      const lot = lots.get(name) ?? { application, model, of, tokens: 0n, net: 0n, rest: 0n }
      lot.tokens += BigInt(usage?.[of]?.tokens ?? 0)
      lot.net += amount
      owing += amount
      lots.set(name, lot)
    }
    const returned = billedOutcomes.has(request.outcome) ? dueBack(request, charges.values(), books) : 0n
    owing -= returned
    const whose = JSON.stringify([application, model])
    back.set(whose, (back.get(whose) ?? 0n) + returned)
  }
  for (const [whose, amount] of back) {
    const its = inOrder([...lots.values()].filter((lot) => JSON.stringify([lot.application, lot.model]) === whose))
    if (amount === 0n || its.length === 0) continue
    for (const [at, part] of shares(
      amount,
      its.map(({ net }) => net),
    ).entries())
      (its[at] as Lot).net -= part
  }
  const left = inOrder([...lots.values()])
  // An application whose charges of a model all came back has used nothing of it.
  const nothing = (lot: Lot): boolean =>
    left.every((one) => one.application !== lot.application || one.model !== lot.model || one.net === 0n)
  const counted = left.filter((lot) => !nothing(lot))
  for (const lot of counted) lot.rest = lot.net
  return { lots: counted, owing }
}

const inOrder = (lots: readonly Lot[]): Lot[] =>
  [...lots].sort(
    (a, b) =>
      order(a.application, b.application) ||
      order(a.model, b.model) ||
      bookClasses.indexOf(a.of) - bookClasses.indexOf(b.of),
  )
const order = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)

/** Takes an hour's part off its lots, kind after kind, and gives the sum. `used`: what each version saw of the month. */
function takeHour(
  agreed: readonly AgreementRecord[],
  used: Map<number, Lot[]>,
  lots: Lot[],
  line: (name: string, amount: bigint) => void,
): bigint {
  let taken = 0n
  let open = lots
  for (const kind of ['free', 'graduated', 'volume']) {
    const kept: Lot[] = []
    const by = new Map<AgreementRecord, Lot[]>()
    for (const lot of open) {
      const found = nearest(agreed, kind, lot)
      if (found) by.set(found, [...(by.get(found) ?? []), lot])
      else kept.push(lot)
    }
    for (const [agreement, its] of by) {
      const seen = used.get(agreement.version) ?? []
      const parts = kind === 'volume' ? volumeParts(agreement, seen, its) : stepParts(agreement, seen, its)
      used.set(agreement.version, [...seen, ...its.map((lot) => ({ ...lot }))])
      for (const { application, model, amount } of parts) {
        taken += amount
        const path = [model, agreement.version, application].map(encodeURIComponent).join('/')
        if (amount !== 0n) line(`${kind}/${path}`, amount)
      }
      kept.push(...(kind === 'free' ? afterFree(agreement, seen, its) : its))
    }
    open = inOrder(kept)
  }
  return taken
}

function nearest(agreed: readonly AgreementRecord[], kind: string, lot: Lot): AgreementRecord | undefined {
  const of = (model: string | null, tokenClass: string | null) =>
    agreed.find((one) => one.kind === kind && one.model === model && one.class === tokenClass)
  return of(lot.model, lot.of) ?? of(lot.model, null) ?? of(null, lot.of) ?? of(null, null)
}

interface Part {
  readonly application: string
  readonly model: string
  readonly amount: bigint
}

const size = ({ counts }: AgreementRecord, lots: readonly Lot[]): bigint =>
  lots.reduce((sum, { tokens, net }) => sum + (counts === 'tokens' ? tokens : net), 0n)

const tiers = ({ kind, amount, tiers: given }: AgreementRecord) =>
  kind === 'free'
    ? [
        { from: 0n, off: whole },
        { from: amount, off: 0n },
      ]
    : given

/** Millionths over all that was used up to a point: what lies between two points is their difference. */
function upTo(agreement: AgreementRecord, point: bigint): bigint {
  let [sum, high] = [0n, point]
  for (const { from, off } of [...tiers(agreement)].reverse()) {
    if (high > from) sum += (high - from) * off
    high = high < from ? high : from
  }
  return sum
}

function stepParts(agreement: AgreementRecord, seen: readonly Lot[], lots: readonly Lot[]): Part[] {
  const [before, now] = [size(agreement, seen), size(agreement, lots)]
  if (now === 0n) return []
  const off = upTo(agreement, before + now) - upTo(agreement, before)
  const rest = lots.reduce((sum, lot) => sum + lot.rest, 0n)
  const amounts = shares(
    half(rest * off, now * whole),
    lots.map((lot) => lot.rest),
  )
  return lots.map((lot, at) => {
    lot.rest -= amounts[at] ?? 0n
    return { application: lot.application, model: lot.model, amount: amounts[at] ?? 0n }
  })
}

/** What was free is gone, with its tokens; what is left counts as what is left to be paid. */
function afterFree(agreement: AgreementRecord, seen: readonly Lot[], lots: readonly Lot[]): Lot[] {
  const [before, now] = [size(agreement, seen), size(agreement, lots)]
  if (now === 0n) return [...lots]
  const room = agreement.amount > before ? agreement.amount - before : 0n
  const free = room < now ? room : now
  const tokens = lots.reduce((sum, lot) => sum + lot.tokens, 0n)
  const gone = shares(
    (tokens * free) / now,
    lots.map((lot) => lot.tokens),
  )
  return lots
    .map((lot, at) => ({ ...lot, tokens: lot.tokens - (gone[at] ?? 0n), net: lot.rest }))
    .filter(({ rest }) => rest > 0n)
}

/** What the month is due at its tier, less what it was due before this hour. */
function volumeParts(agreement: AgreementRecord, seen: readonly Lot[], lots: readonly Lot[]): Part[] {
  const due = (all: readonly Lot[]): Map<string, bigint> => {
    const used = size(agreement, all)
    const reached = [...agreement.tiers].reverse().find(({ from }) => from <= used)
    const sums = new Map<string, bigint>()
    for (const { application, model, rest } of all) {
      const name = JSON.stringify([application, model])
      sums.set(name, (sums.get(name) ?? 0n) + rest)
    }
    return new Map([...sums].map(([name, rest]) => [name, half(rest * (reached?.off ?? 0n), whole)]))
  }
  const before = due(seen)
  return [...due([...seen, ...lots])].map(([name, amount]) => {
    const [application = '', model = ''] = JSON.parse(name) as string[]
    return { application, model, amount: amount - (before.get(name) ?? 0n) }
  })
}

/** Of each kind, model and class the tenant's own that began last and has not ended; else that of all tenants. */
function valid(agreements: readonly AgreementRecord[], hour: number): AgreementRecord[] {
  const found = new Map<string, AgreementRecord>()
  for (const own of [false, true]) {
    const last = new Map<string, AgreementRecord>()
    for (const one of agreements) {
      if ((one.tenant !== null) !== own || one.from_hour > hour) continue
      const place = JSON.stringify([one.kind, one.model, one.class])
      const known = last.get(place)
      const later =
        !known || one.from_hour > known.from_hour || (one.from_hour === known.from_hour && one.version > known.version)
      if (later) last.set(place, one)
    }
    for (const [place, one] of last) if (!one.ended) found.set(place, one)
  }
  return [...found.values()]
}

/** Half and more is one. */
const half = (value: bigint, by: bigint): bigint => value / by + ((value % by) * 2n >= by ? 1n : 0n)

/** Parts in proportion that add up: those with the largest remainder have one more, of equal ones the earlier. */
function shares(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((all, weight) => all + weight, 0n)
  if (sum === 0n) return weights.map(() => 0n)
  const parts = weights.map((weight) => (total * weight) / sum)
  let missing = total - parts.reduce((all, part) => all + part, 0n)
  const remainder = (at: number): bigint => (total * (weights[at] ?? 0n)) % sum
  const places = [...weights.keys()].sort((a, b) =>
    remainder(a) === remainder(b) ? a - b : remainder(a) > remainder(b) ? -1 : 1,
  )
  for (const at of places) {
    if (missing === 0n) break
    parts[at] = (parts[at] ?? 0n) + 1n
    missing--
  }
  return parts
}

const monthOf = (hour: number): number =>
  Date.parse(`${new Date(hour * hour_ms).toISOString().slice(0, 7)}-01`) / hour_ms
/** No month has more than 31 days. */
const monthAfter = (hour: number): number => monthOf(monthOf(hour) + 32 * 24)
