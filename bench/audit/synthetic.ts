import type { Dice } from '../dice.ts'
import { dice } from '../dice.ts'
import type {
  AttemptRecord,
  BalanceRecord,
  BookClass,
  ClientRecord,
  EngineCount,
  EngineLine,
  IntervalRecord,
  PriceRecord,
  Records,
  RequestRecord,
  Sample,
  TransferRecord,
} from './records.ts'

const tenant = { tenant: 'acme', application: 'help desk' }
const payer = 'tenant/acme/help%20desk'
const price: PriceRecord = {
  version: 3,
  perMillion: {
    input_uncached: 37_500_000n,
    cache_read: 3_750_001n,
    cache_write: 37_500_000n,
    output_visible: 150_000_333n,
    reasoning: 150_000_333n,
  },
}

type Ending = 'complete' | 'client_closed' | 'crash' | 'refused'

/** One message with everything that each record holds of it, by construction in agreement. */
interface Story {
  readonly client: ClientRecord
  readonly request: RequestRecord | undefined
  readonly lines: readonly EngineLine[]
  readonly attempts: readonly AttemptRecord[]
  readonly transfers: readonly TransferRecord[]
}

/** Records of a small factory that agree: the audit of any seed finds nothing, whatever ends the messages came to. */
export function syntheticRecords(seed: number, messages = 12): Records {
  const chance = dice(seed)
  const stories = Array.from({ length: messages }, (_, number) => story(number, chance))
  const workers = stories.flatMap((one) => one.attempts.map(({ id, count }) => ({ id, count, story: one })))
  const energy = [
    meterOf('cpu-1', 'cpu_time', chance, workers),
    meterOf('rapl/package 0', 'energy_counter', chance, []),
    meterOf('gpu-1', 'power', chance, []),
  ]
  const transfers = [...stories, ...energy].flatMap((one) => one.transfers)
  return {
    closed: true,
    clients: stories.map((one) => one.client),
    engine: engineFiles(stories.map((one) => one.lines)),
    meter: energy.flatMap((one) => one.samples),
    books: {
      requests: stories.flatMap((one) => one.request ?? []),
      attempts: stories.flatMap((one) => one.attempts),
      transfers,
      balances: balancesOf(transfers),
      quarantined: [],
      intervals: energy.flatMap((one) => one.intervals),
      prices: [price],
      journals: ['gw'],
    },
  }
}

function balancesOf(transfers: readonly TransferRecord[]): BalanceRecord[] {
  return transfers.flatMap(({ unit, debit, credit, amount }) => [
    { unit, account: debit, amount: -amount },
    { unit, account: credit, amount },
  ])
}

/** Two hosts, one of which died without closing its log, and a log that was rotated. */
function engineFiles(lines: readonly (readonly EngineLine[])[]): Records['engine'] {
  const [third, half] = [Math.floor(lines.length / 3), Math.floor(lines.length / 2)]
  const host = (incarnation: string): EngineLine => ({ log: 'host', incarnation })
  return [
    { name: 'e1.0000.ndjson', lines: [host('e1'), ...lines.slice(0, third).flat()] },
    { name: 'e2.0000.ndjson', lines: [host('e2'), ...lines.slice(third, half).flat()] },
    { name: 'e2.0001.ndjson', lines: [host('e2'), ...lines.slice(half).flat(), { log: 'close' }] },
  ]
}

function story(number: number, chance: Dice): Story {
  const id = `gw-${number.toString(36)}`
  const ending = chance.pick<Ending>(['complete', 'complete', 'complete', 'client_closed', 'crash', 'refused'])
  if (ending === 'refused')
    return { client: refused(number), request: undefined, lines: [], attempts: [], transfers: [] }
  const retried = chance.next() < 0.2
  const tries = (retried ? [1, 2] : [1]).map((attempt) => ({
    id: `${id}/${attempt}`,
    count: { input_uncached: chance.whole(1, 40), cache_read: chance.whole(0, 9), output: chance.whole(1, 30) },
  }))
  const usage = ({ input_uncached, cache_read, output }: EngineCount) => ({
    input_uncached: { tokens: input_uncached },
    cache_read: { tokens: cache_read },
    cache_write: { tokens: 0 },
    output_visible: { tokens: output },
    reasoning: null,
  })
  const request: RequestRecord = {
    id,
    ...tenant,
    model: 'starter',
    price_version: chance.next() < 0.8 ? price.version : null,
    outcome: ending,
    attempts: tries.map(({ count }, index) => ({ number: index + 1, replica: 'embedded', usage: usage(count) })),
  }
  const last = tries.at(-1)?.count ?? { input_uncached: 0, cache_read: 0, output: 0 }
  return {
    client: clientOf(number, id, ending, last, chance),
    request,
    lines: tries.flatMap((one) => [...logOf(one)]),
    attempts: tries,
    transfers: request.attempts.flatMap((attempt, index) =>
      transfersOf(request, attempt, index === request.attempts.length - 1 ? ending : 'retry'),
    ),
  }
}

function* logOf({ id, count }: AttemptRecord): Generator<EngineLine> {
  const { input_uncached, cache_read, output } = count
  yield { log: 'begin', id, input_uncached, cache_read }
  yield { log: 'step', made: [[id, 0]] }
  for (let step = 0; step < output; step++) yield { log: 'step', made: [[id, 1]] }
  yield { log: 'end', id, count }
}

function transfersOf(
  request: RequestRecord,
  attempt: RequestRecord['attempts'][number],
  how: Ending | 'retry',
): TransferRecord[] {
  const billed = how === 'complete' || how === 'client_closed'
  const classes = Object.entries(attempt.usage) as [BookClass, { tokens: number } | null][]
  return classes.flatMap(([of, count]) => {
    if (!count || count.tokens === 0) return []
    const common = { request: request.id }
    const tokens: TransferRecord = {
      ...common,
      id: `${request.id}/${attempt.number}/token/${of}`,
      unit: 'token',
      debit: `engine/${attempt.replica}`,
      credit: billed ? `${payer}/${of}` : `waste/${how}/${of}`,
      amount: BigInt(count.tokens),
    }
    const amount = (BigInt(count.tokens) * price.perMillion[of] + 500_000n) / 1_000_000n
    if (!billed || request.price_version === null || amount === 0n) return [tokens]
    const money: TransferRecord = {
      ...common,
      id: `${request.id}/${attempt.number}/nano-USD/${of}`,
      unit: 'nano-USD',
      debit: payer,
      credit: `revenue/starter/${of}`,
      amount,
    }
    return [tokens, money]
  })
}

const client = (
  number: number,
  id: string | null,
  rest: Omit<ClientRecord, 'client' | 'id' | 'bytes' | 'chunks' | 'took_ms'>,
) => ({
  client: number,
  id,
  bytes: rest.received.length,
  chunks: 1,
  took_ms: 1,
  ...rest,
})

const refused = (number: number): ClientRecord =>
  client(number, null, { stream: false, status: 503, ended: 'end', received: '{"error":{"code":"overloaded"}}' })

function clientOf(number: number, id: string, ending: Ending, count: EngineCount, chance: Dice): ClientRecord {
  const usage = {
    prompt_tokens: count.input_uncached + count.cache_read,
    completion_tokens: count.output,
    prompt_tokens_details: { cached_tokens: count.cache_read },
  }
  const stream = chance.next() < 0.5
  const whole = ending === 'complete'
  const ended = whole ? 'end' : ending === 'crash' ? 'broken' : 'left'
  if (!stream) {
    const body = JSON.stringify({ choices: [{ message: { content: 'caf\u00c3\u00a9' } }], usage })
    return client(number, whole ? id : null, { stream, status: whole ? 200 : null, ended, received: whole ? body : '' })
  }
  const events = [
    JSON.stringify({ choices: [{ delta: { content: 'hello' } }] }),
    ...(whole ? [JSON.stringify({ choices: [], usage }), '[DONE]'] : []),
  ]
  const received = `${events.map((event) => `data: ${event}\n\n`).join('')}${whole ? '' : 'data: {"cho'}`
  return client(number, id, { stream, status: 200, ended, received })
}

/** A meter's samples with their intervals and the transfers that add up to them; the last interval is not posted yet. */
function meterOf(
  meter: string,
  kind: Sample['kind'],
  chance: Dice,
  workers: readonly { readonly id: string; readonly story: Story }[],
): { samples: Sample[]; intervals: IntervalRecord[]; transfers: TransferRecord[] } {
  const samples: Sample[] = []
  const intervals: IntervalRecord[] = []
  const transfers: TransferRecord[] = []
  let [at_ms, busy_ms, energy_uj, watts] = [1_000, 500, 999_000, 40]
  const steps = 8
  for (let sequence = 1; sequence <= steps; sequence++) {
    const [elapsed, busy] = [chance.whole(500, 1500), chance.whole(0, 500)]
    at_ms += elapsed
    busy_ms += busy
    energy_uj += busy * 1000
    const before_w = watts
    watts = 2 * chance.whole(20, 350)
    const reading = {
      energy_counter: { kind: 'energy_counter', energy_uj, wraps_at_uj: 1e12 },
      cpu_time: { kind: 'cpu_time', busy_ms, cores: 2, idle_watts: 10, full_watts: 30 },
      power: { kind: 'power', watts },
    } as const
    samples.push({ meter, sequence, at_ms, ...reading[kind] })
    if (sequence === 1) continue
    const drawn_mj = {
      energy_counter: busy,
      cpu_time: Math.round(10 * elapsed + 20 * (busy / (2 * elapsed)) * elapsed),
      power: ((before_w + watts) / 2) * elapsed,
    }
    const energy_mj = BigInt(drawn_mj[kind])
    const posted = sequence < steps
    intervals.push({ meter, sequence, energy_mj, posted })
    if (posted) transfers.push(...energyTransfers(meter, sequence, energy_mj, chance, workers))
  }
  return { samples, intervals, transfers }
}

function energyTransfers(
  meter: string,
  sequence: number,
  energy_mj: bigint,
  chance: Dice,
  workers: readonly { readonly id: string; readonly story: Story }[],
): TransferRecord[] {
  const common = { unit: 'mJ', debit: `meter/${encodeURIComponent(meter)}` }
  const worker = workers.length > 0 ? chance.pick(workers) : undefined
  const part = worker ? energy_mj / 3n : 0n
  const idle = {
    ...common,
    id: `${meter}/${sequence}/idle`,
    credit: 'idle/shared-pool',
    amount: energy_mj - part,
    request: null,
  }
  if (!worker || part === 0n) return idle.amount > 0n ? [idle] : []
  const request = worker.id.slice(0, worker.id.lastIndexOf('/'))
  const credit = worker.story.request?.outcome === 'crash' ? 'waste/crash' : payer
  return [idle, { ...common, id: `${meter}/${sequence}/${worker.id}`, credit, amount: part, request }]
}
