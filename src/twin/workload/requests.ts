import type { Random } from '../random.ts'
import type { Client, Workload } from '../scenario.ts'
import { arrivals, lengthFrom } from './arrivals.ts'
import type { Traced } from './mooncake.ts'
import { type Prompt, unique } from './prompt.ts'
import type { Request } from './request.ts'

type Synthetic = Workload & { readonly kind: 'synthetic' }

/** Requests of a workload in order of time, each given to a client by its share. */
export function* requestsOf(
  traced: Iterable<Traced>,
  speed: number,
  most: number,
  clients: readonly Client[],
  random: (name: string) => Random,
): Generator<Request> {
  const whole = clients.reduce((sum, one) => sum + one.share, 0)
  const [whose, leaving] = [random('clients'), random('leaving')]
  let [count, last_ns] = [0, 0]
  for (const { at_ns, prompt, answer } of traced) {
    if (count++ >= most) return
    last_ns = Math.max(last_ns, Math.round(at_ns / speed))
    const client = choose(clients, whose.share() * whole)
    const { leaves, maxTokens } = clients[client] as Client
    const leavesAfter = leaving.chance(leaves.share) ? leaveAfter(leaves, answer, leaving) : undefined
    const limit = maxTokens === 'none' ? undefined : maxTokens === 'answer' ? answer : maxTokens
    yield { at_ns: last_ns, client, prompt, limit, answer, ...(leavesAfter && { leavesAfter }) }
  }
}

function choose(clients: readonly Client[], at: number): number {
  let sum = 0
  for (let client = 0; client < clients.length; client++) {
    sum += clients[client]?.share ?? 0
    if (at < sum) return client
  }
  return clients.length - 1
}

function leaveAfter(leaves: Client['leaves'], answer: number, random: Random): Request['leavesAfter'] {
  if (leaves.seconds !== undefined) return { ns: Math.round(random.share() * leaves.seconds * 1e9) }
  return { tokens: random.whole(1, Math.max(1, Math.min(answer, leaves.tokens ?? answer))) }
}

/** A workload of our own making, without end but for its number of requests and its time. */
export function* synthetic(of: Synthetic, start_s: number, random: (name: string) => Random): Generator<Traced> {
  const lengths = random('lengths')
  const prompts = new SharedPrompts(of, random('beginnings'))
  for (const at_ns of arrivals(of.arrivals, random('arrivals'), start_s)) {
    if (at_ns > of.seconds * 1e9) return
    const tokens = lengthFrom(of.prompt, lengths)
    yield { at_ns, prompt: prompts.next(tokens), answer: lengthFrom(of.answer, lengths) }
  }
}

/** Prompts of which some have their beginning in common: a system prompt, a few examples. */
class SharedPrompts {
  readonly #beginnings: Synthetic['beginnings']
  readonly #random: Random
  /** A beginning is one piece: whole blocks, whatever the usual size of a block. */
  readonly #pieceTokens: number

  constructor({ beginnings }: Synthetic, random: Random) {
    const { tokens } = beginnings
    this.#beginnings = beginnings
    this.#random = random
    this.#pieceTokens = tokens >= 256 ? tokens - (tokens % 256) : tokens - (tokens % 16)
  }

  next(tokens: number): Prompt {
    const { share, kinds, tokens: shared } = this.#beginnings
    if (this.#pieceTokens === 0 || !this.#random.chance(share)) return unique(tokens)
    return { tokens: shared + tokens, pieces: [this.#random.whole(0, kinds - 1)], pieceTokens: this.#pieceTokens }
  }
}
