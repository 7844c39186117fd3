import { answerOf } from './answer.ts'
import { checkBeside } from './beside.ts'
import { checkCosts } from './cost.ts'
import type { EnergyResult } from './energy.ts'
import { checkEnergy } from './energy.ts'
import { addUp } from './engine.ts'
import { checkExchange } from './exchange.ts'
import { checkMoney } from './money.ts'
import type {
  Books,
  EngineCount,
  EngineRecord,
  Finding,
  FindingKind,
  Records,
  RequestRecord,
  TransferRecord,
} from './records.ts'
import { engineClasses } from './records.ts'
import { checkTerms } from './terms.ts'
import type { Logged } from './tokens.ts'
import { checkAnswer, checkTokens } from './tokens.ts'
import { checkWork } from './work.ts'

export interface Audit {
  readonly findings: readonly Finding[]
  readonly summary: {
    readonly clients: number
    readonly answered: number
    readonly requests: number
    readonly lost: number
    readonly doubled: number
    readonly token_differences: number
    readonly money_differences: number
    /** Measured less booked; the sign says who has more. */
    readonly energy_difference_mj: string
    readonly measured_mj: string
    /** Intervals that were measured but not attributed yet when the factory stopped. */
    readonly intervals_pending: number
    readonly findings: number
  }
}

/** The audit from outside: clients, engine logs and meters against the books. Pure; same records, same findings. */
export function audit(records: Records): Audit {
  const { books } = records
  const engine = addUp(records.engine)
  const requests = new Map(books.requests.map((request) => [request.id, request]))
  const byRequest = Map.groupBy(books.transfers, (transfer) => transfer.request)
  const logged = loggedByRequest(engine)
  const energy = checkEnergy(records, requests, engine)
  const findings = [
    ...engine.flaws,
    ...twice('request', books.requests),
    ...twice('transfer', books.transfers),
    ...twice('attempt', books.attempts),
    ...books.requests.flatMap((request) => {
      const transfers = byRequest.get(request.id) ?? []
      return [
        ...checkTokens(request, transfers, logged.get(request.id) ?? new Map()),
        ...checkMoney(request, transfers, books),
      ]
    }),
    ...checkClients(records, requests, logged),
    ...checkUnasked(records, requests, byRequest),
    ...checkAttempts(books, engine),
    ...checkBalances(books),
    ...checkCosts(books),
    ...checkTerms(books),
    ...checkBeside(books),
    ...checkWork(books, records.engine),
    ...checkExchange(books, records.statements ?? []),
    ...books.quarantined.map(
      ([subject, reason]): Finding => ({ kind: 'record', subject, message: `put aside: ${reason}` }),
    ),
    ...energy.findings,
    ...total(energy),
  ]
  const count = (kind: FindingKind): number => findings.filter((one) => one.kind === kind).length
  const answers = records.clients.map(answerOf)
  return {
    findings,
    summary: {
      clients: records.clients.length,
      answered: answers.filter((answer) => answer.complete).length,
      requests: books.requests.length,
      lost: count('lost'),
      doubled: count('doubled'),
      token_differences: count('tokens'),
      money_differences: count('money'),
      energy_difference_mj: String(energy.measured_mj - energy.booked_mj),
      measured_mj: String(energy.measured_mj),
      intervals_pending: energy.pending,
      findings: findings.length,
    },
  }
}

function loggedByRequest(engine: EngineRecord): Map<string, Logged> {
  const found = new Map<string, Map<number, EngineCount>>()
  for (const [id, { count }] of engine.attempts) {
    const slash = id.lastIndexOf('/')
    const request = id.slice(0, slash)
    found.set(request, (found.get(request) ?? new Map()).set(Number(id.slice(slash + 1)), count))
  }
  return found
}

/** From the first sample to the end of the last posted interval: what was drawn is what was booked. */
const total = ({ measured_mj, booked_mj }: EnergyResult): Finding[] =>
  measured_mj === booked_mj
    ? []
    : [{ kind: 'energy', subject: 'total', message: `${booked_mj} mJ booked of ${measured_mj} mJ measured` }]

function twice(what: string, rows: readonly { readonly id: string }[]): Finding[] {
  const seen = new Set<string>()
  const repeated = rows.filter(({ id }) => seen.has(id) || !seen.add(id))
  return repeated.map(({ id }) => ({
    kind: 'doubled',
    subject: id,
    message: `the ${what} is in the books more than once`,
  }))
}

/** Who was served is in the books; and no two clients were given one id. */
function checkClients(
  records: Records,
  requests: ReadonlyMap<string, RequestRecord>,
  logged: ReadonlyMap<string, Logged>,
): Finding[] {
  const known = new Set<string>()
  return records.clients.flatMap((client): Finding[] => {
    if (client.bytes !== client.received.length)
      return [{ kind: 'record', subject: `client ${client.client}`, message: 'its log has not the bytes it counted' }]
    const answer = answerOf(client)
    if (client.id === null)
      return answer.complete || answer.content
        ? [{ kind: 'lost', subject: `client ${client.client}`, message: 'it was served without a request id' }]
        : []
    if (known.has(client.id))
      return [{ kind: 'doubled', subject: client.id, message: 'two clients were given this id' }]
    known.add(client.id)
    const request = requests.get(client.id)
    if (request) return checkAnswer(answer, request, logged.get(client.id) ?? new Map())
    if (!answer.complete && !answer.content) return []
    return [{ kind: 'lost', subject: client.id, message: 'its client was served, and it is not in the books' }]
  })
}

/** Nothing is booked for which nobody asked or of which no row tells. */
function checkUnasked(
  records: Records,
  requests: ReadonlyMap<string, RequestRecord>,
  byRequest: ReadonlyMap<string | null, readonly TransferRecord[]>,
): Finding[] {
  const findings: Finding[] = []
  for (const [id, transfers] of byRequest)
    if (id !== null && !requests.has(id))
      findings.push({ kind: 'unknown', subject: id, message: `${transfers.length} transfers, and no settled row` })
  for (const { id } of records.books.requests)
    if (!records.books.journals.includes(id.slice(0, id.lastIndexOf('-'))))
      findings.push({ kind: 'unknown', subject: id, message: 'its gateway has no journal' })
  if (!records.closed) return findings

  const told = new Set(records.clients.map((client) => client.id))
  const unheard = records.clients.filter((client) => client.id === null).length
  const unasked = records.books.requests.filter(({ id }) => !told.has(id))
  if (unasked.length > unheard)
    findings.push({
      kind: 'unknown',
      subject: unasked.map(({ id }) => id).join(' '),
      message: `${unasked.length} requests that no client knows, but only ${unheard} clients got no id`,
    })
  return findings
}

/** The books' copy of the engines' logs is the logs: no attempt more, none less, none other. */
function checkAttempts(books: Books, engine: EngineRecord): Finding[] {
  const findings: Finding[] = []
  const copied = new Map(books.attempts.map((one) => [one.id, one.count]))
  const settled = new Set(books.requests.map((request) => request.id))
  for (const [id, { count }] of engine.attempts) {
    const request = id.slice(0, id.lastIndexOf('/'))
    if (engineClasses.every((of) => count[of] === 0)) continue // taken back before it began
    if (!settled.has(request))
      findings.push({ kind: 'lost', subject: request, message: 'an engine worked for it, and it is not in the books' })
    const copy = copied.get(id)
    if (!copy || engineClasses.some((of) => copy[of] !== count[of]))
      findings.push({
        kind: 'tokens',
        subject: request,
        message: `the books' copy of the engine log differs for ${id}`,
      })
  }
  for (const id of copied.keys())
    if (!engine.attempts.has(id))
      findings.push({
        kind: 'unknown',
        subject: id.slice(0, id.lastIndexOf('/')),
        message: `no engine log knows ${id}`,
      })
  return findings
}

/** Every account is the sum of its transfers, and every unit sums to zero over all accounts. */
function checkBalances({ transfers, balances, rolled = [] }: Books): Finding[] {
  const difference = new Map<string, bigint>()
  const add = (name: string, amount: bigint): void => void difference.set(name, (difference.get(name) ?? 0n) + amount)
  for (const { unit, debit, credit, amount } of [...transfers, ...rolled]) {
    add(`${unit} ${debit}`, -amount)
    add(`${unit} ${credit}`, amount)
  }
  for (const { unit, account, amount } of balances) {
    add(`${unit} ${account}`, -amount)
    add(unit, amount)
  }
  return [...difference].flatMap(([subject, rest]): Finding[] =>
    rest === 0n ? [] : [{ kind: 'balance', subject, message: `differs by ${rest}` }],
  )
}
