import type { Choice, CostParts } from '../../books/row.ts'
import { missingUsage } from '../../books/usage.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import { serves } from '../../plant/infrastructure/replica.ts'
import type { ModelId, ReplicaId, RequestId } from '../../units/ids.ts'
import type { Seconds } from '../../units/quantity.ts'
import type { EngineFailure, Flow, Room } from './flow.ts'
import { Kinds } from './kinds.ts'
import { moneyRule } from './money-rule.ts'
import type { Word } from './peers.ts'
import { Peers } from './peers.ts'
import { placingOf, senders } from './placing.ts'
import { blockTokens, PrefixIndex } from './prefix.ts'
import type { Dispatch, Placing } from './replica-view.ts'
import { ReplicaView } from './replica-view.ts'
import type { Rule } from './rule.ts'
import { servingCost } from './serving-cost.ts'
import { Allowed } from './set-points.ts'
import type { Snapshot } from './snapshot.ts'

/** Of a replica of which nobody said how much its cache holds. */
const usualCacheTokens = 200_000

/** An attempt where it was sent. */
interface Sent {
  readonly view: ReplicaView
  readonly dispatch: Dispatch
  readonly blockTokens: number
  readonly choice: Choice | undefined
}

/** S2: the replica on which the request costs least by the rule; those that are full, away or have failed it are left out. */
export class Router {
  readonly allowed = new Allowed()
  readonly #rule: Rule
  readonly #index: PrefixIndex
  readonly #peers = new Peers()
  readonly #views = new Map<ReplicaId, ReplicaView>()
  readonly #dispatches = new Map<RequestId, Sent>()
  /** The other one, of a request with two attempts under way. */
  readonly #rivals = new Map<RequestId, Sent>()
  readonly #kinds = new Kinds()
  /** The snapshot of the last request, and who serves which model under it. */
  #snapshot: Snapshot | undefined
  readonly #byModel = new Map<ModelId, readonly ReplicaView[]>()
  /** Candidates of the request at hand, and the tokens that each would have to compute. */
  readonly #able: ReplicaView[] = []
  #uncached = new Float64Array(16)
  #turn = 0
  /** Of the request at hand, the next best. */
  #next = 0

  constructor(rule: Rule = moneyRule(), index = new PrefixIndex()) {
    this.#rule = rule
    this.#index = index
  }

  /** Of the model that was asked for, or of the first fallback that anybody serves: it is the flow's model then. */
  room(flow: Flow, now: Seconds): Room {
    this.allowed.turn(now)
    for (const model of [flow.ask.model, ...(flow.ask.fallbacks ?? [])]) {
      const room = this.#roomOf(flow, model, now)
      if (room === 'none') continue
      flow.model = model
      return room
    }
    flow.model = flow.ask.model
    return 'none'
  }

  /** A retry goes to a replica that has not failed this request; when there is none, to one of the next fallback. */
  route(flow: Flow, now: Seconds): Replica | undefined {
    this.allowed.turn(now)
    const chain = [flow.ask.model, ...(flow.ask.fallbacks ?? [])]
    for (const model of chain.slice(chain.indexOf(flow.model))) {
      const able = this.#candidates(flow, model, now)
      if (able.length === 0) continue
      flow.model = model
      return this.#send(flow, able, now)
    }
    return undefined
  }

  /** A replica with room, other than the one that is late; undefined: none. Until `sent` the first attempt is untouched. */
  hedge(flow: Flow, now: Seconds, affords: (cost: number) => boolean): Replica | undefined {
    const able = this.#candidates(flow, flow.model, now, true)
    const first = this.#dispatches.get(flow.id)
    if (able.length === 0 || !first) return undefined
    const placing = placingOf(flow, now, this.#peers.size)
    this.#weigh(able, placing)
    this.#rule.begin?.(placing, able, this.#uncached)
    const at = this.#least(able, placing)
    if (!affords(servingCost(able[at] as ReplicaView, this.#uncached[at] ?? placing.prompt, placing))) return undefined
    this.#rivals.set(flow.id, first)
    return this.#sendTo(flow, able, at, placing, now)
  }

  /** Of two attempts under way the other is looked at. */
  exchange(flow: Flow): void {
    const [own, rival] = [this.#dispatches.get(flow.id), this.#rivals.get(flow.id)]
    this.#dispatches.delete(flow.id)
    this.#rivals.delete(flow.id)
    if (rival) this.#dispatches.set(flow.id, rival)
    if (own) this.#rivals.set(flow.id, own)
  }

  /** Why the attempt under way went where it did; undefined: there was no choice. */
  choice(flow: Flow): Choice | undefined {
    return this.#dispatches.get(flow.id)?.choice
  }

  /** What the attempt under way was expected to take until its first token, and to cost. */
  expected(flow: Flow): { readonly first: Seconds; readonly cost: number; readonly sentAt: Seconds } | undefined {
    const sent = this.#dispatches.get(flow.id)
    if (!sent) return undefined
    const { view, dispatch } = sent
    const { uncached, expected: first, prompt, sentAt } = dispatch
    const asked = { model: flow.model, prompt, output: Math.max(1, flow.reserved - prompt) }
    return { first, sentAt, cost: servingCost(view, uncached, asked) }
  }

  /** The attempt that lost was the first one: that it took at least so long is learned, or a slow replica would look as before. */
  waited(flow: Flow, now: Seconds): { readonly first: Seconds; readonly sentAt: Seconds } | undefined {
    const sent = this.#rivals.get(flow.id)
    if (!sent) return undefined
    const { expected: first, sentAt } = sent.dispatch
    sent.view.first(sent.dispatch, now)
    return { first, sentAt }
  }

  /** The attempt that lost is over. */
  lost(flow: Flow): void {
    const sent = this.#rivals.get(flow.id)
    this.#rivals.delete(flow.id)
    if (!sent) return
    sent.view.left(sent.dispatch)
    sent.view.ejection.undecided()
  }

  begun(flow: Flow): void {
    const sent = this.#dispatches.get(flow.id)
    if (!sent || !flow.begun) return
    const { input_uncached, cache_read } = flow.begun
    this.#found(sent, cache_read, input_uncached + cache_read)
    sent.view.begun(sent.dispatch, input_uncached)
  }

  /** An engine has said how much of a prompt it found in its cache. */
  #found({ view, dispatch, blockTokens }: Sent, found: number, prompt: number): void {
    // A longer match than its blocks say is no surprise: an engine's blocks are finer.
    this.#index.found(view.index, dispatch.matched, Math.min(Math.floor(found / blockTokens), dispatch.blocks))
    this.#rule.learn?.(found, prompt)
  }

  first(flow: Flow, now: Seconds): void {
    const sent = this.#dispatches.get(flow.id)
    sent?.view.first(sent.dispatch, now)
  }

  left(flow: Flow, failure: EngineFailure | undefined, now: Seconds): void {
    const sent = this.#dispatches.get(flow.id)
    if (!sent) return
    this.#dispatches.delete(flow.id)
    const { view, dispatch } = sent
    if (!failure && !flow.begun) this.#foundAtLast(flow, sent)
    if (!failure) view.answered(dispatch, flow.produced, senders(flow, this.#peers.size), now)
    view.left(dispatch)
    if (!failure) view.ejection.succeeded()
    else if (flow.cut) view.ejection.undecided()
    else view.ejection.failed(failure.fault, now)
  }

  /** Most engines say it with the whole answer, if they do. */
  #foundAtLast(flow: Flow, sent: Sent): void {
    const { input_uncached, cache_read } = flow.attempts.at(-1)?.usage ?? missingUsage
    if (!cache_read || !input_uncached || input_uncached.source === 'estimated') return
    this.#found(sent, cache_read.tokens, cache_read.tokens + input_uncached.tokens)
  }

  /** A replica that was away has lost its cache. `cold`: models that it serves and has not in memory. */
  hear(replica: ReplicaId, up: boolean, cold: ReadonlySet<string> = new Set()): void {
    const view = this.load(replica)
    if (view.up && !up) this.#index.forget(view.index)
    Object.assign(view, { up, cold })
  }

  /** Other gateways whose word is fresh. */
  get peers(): number {
    return this.#peers.size
  }

  /** Whoever fell silent has nothing under way any more. */
  forget(now: Seconds): void {
    if (this.#peers.forget(now)) this.#weighOthers()
  }

  /** For the other gateways: what is under way, and what was sent where since it was last asked. */
  tell(now: Seconds): Word {
    this.forget(now)
    const loads: Word['loads'] = new Map(
      [...this.#views].flatMap(([replica, { running, prefilling, decoding, held }]) =>
        running > 0 ? [[replica, { running, prefilling, decoding, held }] as const] : [],
      ),
    )
    return { loads, sent: this.#peers.take() }
  }

  /** The word of another gateway: what it sent lies in caches as what was sent from here does. */
  heard(from: string, word: Word, now: Seconds): void {
    this.#peers.heard(from, word, now)
    this.#weighOthers()
    for (const { replica, blocks, tokens } of word.sent) {
      this.#index.sent(this.load(replica).index, blocks, tokens / blockTokens)
    }
  }

  #weighOthers(): void {
    for (const [replica, view] of this.#views) view.others = this.#peers.at(replica)
  }

  load(replica: ReplicaId): ReplicaView {
    return (
      this.#views.get(replica) ??
      this.#view({ id: replica, vendor: 'openai', models: {}, concurrency: 1, draining: false })
    )
  }

  /** When all are left alone they are all asked: some of them may be well again, and waiting is no better. */
  #roomOf(flow: Flow, model: ModelId, now: Seconds): Room {
    const held = this.allowed.isHeld(model, flow.ask.slo)
    let [able, left, place, off] = [0, 0, false, true]
    for (const view of this.#serving(flow.snapshot, model)) {
      if (!view.up) continue
      const out = view.ejection.isOut(now)
      const places = this.#places(view, flow)
      if (places > 0) off = false
      const hasPlace = !isCold(view, model) && view.running < places
      if (hasPlace && !out) return held ? 'held' : 'free'
      able++
      if (out) left++
      place ||= hasPlace
    }
    if (able === 0) return 'none'
    if (held || off) return 'held'
    return left === able && place ? 'free' : 'full'
  }

  /** Where control allows fewer than the replica takes, each gateway has its part: a burst is over before they hear of each other. */
  #places({ replica }: ReplicaView, { snapshot }: Flow): number {
    const most = this.allowed.most(replica.id)
    return most === undefined ? replica.concurrency : Math.min(replica.concurrency, Math.ceil(most / snapshot.gateways))
  }

  #send(flow: Flow, able: readonly ReplicaView[], now: Seconds): Replica {
    const placing = placingOf(flow, now, this.#peers.size)
    this.#weigh(able, placing)
    this.#rule.begin?.(placing, able, this.#uncached)
    return this.#sendTo(flow, able, this.#least(able, placing), placing, now)
  }

  #sendTo(flow: Flow, able: readonly ReplicaView[], at: number, placing: Placing, now: Seconds): Replica {
    const view = able[at] as ReplicaView
    const choice = this.#choice(able, at, placing)
    const matched = this.#index.matched(view.index, placing.blocks)
    this.#index.sent(view.index, placing.blocks, placing.blockTokens / blockTokens)
    if (flow.snapshot.gateways > 1) this.#peers.sent({ replica: view.replica.id, ...sentOf(placing) })
    view.ejection.tried()
    const dispatch = view.sent(placing, matched, now)
    this.#dispatches.set(flow.id, { view, dispatch, blockTokens: placing.blockTokens, choice })
    return view.replica
  }

  /** What the one that was taken is expected to cost, and the next best. */
  #choice(able: readonly ReplicaView[], at: number, placing: Placing): Choice | undefined {
    const next = able[this.#next]
    if (!this.#rule.parts || !next || this.#next === at) return undefined
    const nano_usd = this.#rule.parts(able[at] as ReplicaView, this.#uncached[at] ?? placing.prompt, placing)
    const other = this.#rule.parts(next, this.#uncached[this.#next] ?? placing.prompt, placing)
    return {
      of: able.length,
      nano_usd: rounded(nano_usd),
      next: { replica: next.replica.id, nano_usd: rounded(other) },
    }
  }

  /** Those with a place that are not left alone; when there is none such, those that are full or left alone. */
  #candidates(flow: Flow, model: ModelId, now: Seconds, hedge = false): ReplicaView[] {
    const able = this.#able
    able.length = 0
    let only = true
    for (const view of this.#serving(flow.snapshot, model)) {
      const { replica } = view
      if (!view.up || isCold(view, model) || (hedge && replica.id === flow.replica?.id)) continue
      if (flow.attempts.length > 0 && flow.attempts.some((attempt) => attempt.replica === replica.id)) continue
      const places = this.#places(view, flow)
      if (places === 0) continue
      const good = view.running < places && !view.ejection.isOut(now)
      if (good && only) {
        only = false
        able.length = 0
      }
      if (good || (only && !hedge)) able.push(view)
    }
    return able
  }

  #weigh(able: readonly ReplicaView[], { prompt, blocks, blockTokens }: Placing): void {
    if (this.#uncached.length < able.length) this.#uncached = new Float64Array(2 * able.length)
    for (let at = 0; at < able.length; at++) {
      const matched = this.#index.matched((able[at] as ReplicaView).index, blocks) * blockTokens
      this.#uncached[at] = Math.max(1, prompt - matched)
    }
  }

  /** Ties go round: what looks alike shares. */
  #least(able: readonly ReplicaView[], placing: Placing): number {
    const begin = this.#turn++
    let [best, least, next, second] = [0, Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY]
    for (let turn = 0; turn < able.length; turn++) {
      const at = (begin + turn) % able.length
      const score = this.#rule.score(able[at] as ReplicaView, this.#uncached[at] ?? placing.prompt, placing)
      if (score < least) {
        next = best
        second = least
        best = at
        least = score
      } else if (score < second) {
        next = at
        second = score
      }
    }
    this.#next = next
    return best
  }

  /** Those that serve a model under a snapshot, up or down: worked out once for all of its requests. */
  #serving(snapshot: Snapshot, model: ModelId): readonly ReplicaView[] {
    if (this.#snapshot !== snapshot) {
      this.#snapshot = snapshot
      this.#byModel.clear()
    }
    let serving = this.#byModel.get(model)
    if (!serving) {
      const able = snapshot.replicas.filter((replica) => serves(replica, model) && !replica.draining)
      serving = able.map((replica) => this.#viewOf(replica))
      if (serving.length > 0) this.#byModel.set(model, serving) // names that nobody serves are without number
    }
    return serving
  }

  #viewOf(replica: Replica): ReplicaView {
    const view = this.#views.get(replica.id) ?? this.#view(replica)
    if (view.replica !== replica) this.#renew(view, replica)
    return view
  }

  #view(replica: Replica): ReplicaView {
    const view = new ReplicaView(this.#views.size, replica)
    view.others = this.#peers.at(replica.id)
    this.#views.set(replica.id, view)
    this.#renew(view, replica)
    return view
  }

  #renew(view: ReplicaView, replica: Replica): void {
    view.replica = replica
    this.#kinds.liken(view)
    this.#index.setCapacity(view.index, (replica.facts?.cacheTokens ?? usualCacheTokens) / blockTokens)
  }
}

/** As a row holds them: whole, and a million dollars at most, which stands for a replica that takes nobody. */
const whole = (amount: number): number => Math.round(Math.min(1e15, Math.max(0, amount)))
const rounded = ({ prefill, decode, eviction, waiting, behind, late }: CostParts): CostParts => ({
  prefill: whole(prefill),
  decode: whole(decode),
  eviction: whole(eviction),
  waiting: whole(waiting),
  behind: whole(behind),
  late: whole(late),
})

/** A model that must be loaded first has no room yet: its requests wait as they do for a busy replica. */
const isCold = ({ cold, replica }: ReplicaView, model: ModelId): boolean => cold.has(replica.models[model] ?? '')

const sentOf = ({ blocks, blockTokens: tokens }: Placing) => ({ blocks, tokens })
