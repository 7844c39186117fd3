import { allowance, indexed } from '../../books/allowance.ts'
import type { MemoryBooks } from '../../books/memory.ts'
import type { PriceVersion } from '../../books/price.ts'
import { priceList } from '../../books/price.ts'
import type { Grant, Snapshot } from '../../lines/inference/snapshot.ts'
import type { Dice } from '../../lines/models/dice.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import { price } from '../../units/amount.ts'
import type { AttemptId, Incarnation, ModelId, ReplicaId, SiteId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { tokens } from '../../units/quantity.ts'
import { Agenda, Life } from './agenda.ts'
import { Disk, hashOf } from './disk.ts'
import type { Told } from './engine.ts'
import { SimEngine } from './engine.ts'
import type { Client } from './gateway.ts'
import { askOf, SimGateway, secondsOf } from './gateway.ts'
import { hostedStream } from './hosted.ts'
import { SimJournal } from './journal.ts'
import { SimLeases } from './leases.ts'
import { idleWatts, SimOperator, wraps_at_uj } from './operator.ts'
import type { Parts } from './parts.ts'
import type { ClientPlan, Fault, Plan } from './plan.ts'
import { chance } from './plan.ts'
import type { Watch } from './watch.ts'

/** A moment shortly before midnight UTC, so that the day of the balances changes in the middle. */
export const start_ms = 20_000 * 86_400_000 - 8_000
const restartAfter_ms = 400

/** Where the hosted engine stands. */
const far = id<SiteId>('far')

const replicaOf = (name: string, models: readonly string[]): Replica => ({
  id: id(name),
  vendor: name === 'hosted' ? 'openai' : 'llama',
  models: Object.fromEntries(models.map((model) => [model, model])),
  concurrency: name === 'hosted' ? 8 : 4,
  draining: false,
  ...(name === 'hosted' && { site: far }),
})

/** Of the one tenant that has a limit. */
export const tokensPerMinute = 2400

/** A budget that some runs use up. */
export const budget = allowance({ scope: 'tenant', of: 't1', unit: 'nano-USD', renews: 'never', amount: 60_000n })
export const allowances = [
  allowance({ scope: 'key', of: 'k-t0', unit: 'tokens', renews: 'minute', amount: BigInt(tokensPerMinute) }),
  allowance({ scope: 'tenant', of: 't2', unit: 'concurrent', renews: 'release', amount: 2n }),
  budget,
]

const grantOf = (tenant: string): Grant => ({
  key: id(`k-${tenant}`),
  tenant: id(tenant),
  application: id('app'),
  models: null,
  expires_ms: null,
  slo: tenant === 't0' ? 'interactive' : tenant === 't1' ? 'batch' : 'standard',
})

/** Odd nano-dollars, so that rounding is met. */
const usual: readonly PriceVersion[] = ['own', 'hosted', 'either'].map((model, index) => ({
  version: index + 1,
  model: id<ModelId>(model),
  effective_from_ms: 0,
  perMillion: priceList(price(37_500_001n), price(150_000_003n), { cache_read: price(3_750_001n) }),
  refund: { ttft_ms: 100, percent: 33 },
  note: '',
}))
const dearer = priceList(price(52_500_003n), price(310_000_001n), { cache_read: price(3_750_001n) })
/** Where the hosted engine stands a model that others serve too costs more. */
export const prices: readonly PriceVersion[] = [
  ...usual,
  { version: 4, model: id<ModelId>('either'), effective_from_ms: 0, perMillion: dearer, site: far, note: '' },
]

export const snapshotOf = ({ engines, gateways }: Plan): Snapshot => ({
  number: 1,
  published_ms: start_ms,
  grants: new Map(['t0', 't1', 't2'].map((tenant) => [tenant, grantOf(tenant)])),
  prices,
  allowances: indexed(allowances),
  energyPerToken_mj: new Map(),
  aliases: new Map(),
  replicas: [
    ...Array.from({ length: engines }, (_, index) => replicaOf(`own-${index}`, ['own', 'either'])),
    replicaOf('hosted', ['hosted', 'either']),
  ],
  gateways,
})

/** A whole factory on simulated time, under one plan. Processes die and are started anew; disk, books and clients stay. */
export class Factory {
  readonly agenda = new Agenda(start_ms)
  readonly disk = new Disk()
  readonly books: MemoryBooks
  readonly clients: Client[] = []
  readonly gateways: SimGateway[] = []
  /** Every gateway that ever lived. */
  readonly everyGateway: SimGateway[] = []
  readonly #engines: SimEngine[] = []
  readonly leases: SimLeases
  readonly #plan: Plan
  readonly #parts: Parts
  readonly #watch: Watch
  readonly #snapshot: Snapshot
  readonly #dice: (name: string) => Dice
  #operator: Life | undefined
  #lives = 0
  #wall_ms = 0
  #drawn_uj = 0
  #worked_uj = 0
  #meterFrom_ms = start_ms
  #shipAgain = 0

  constructor(plan: Plan, parts: Parts, watch: Watch) {
    this.#plan = plan
    this.#parts = parts
    this.#watch = watch
    this.#snapshot = snapshotOf(plan)
    this.#dice = (name) => chance(plan.seed, name)
    this.books = parts.books(hashOf)
    this.leases = new SimLeases(allowances, this.books, parts.usedOf)
    for (const version of prices) this.books.prices.set(version.version, version)
    for (let index = 0; index < plan.engines; index++) this.#startEngine(index)
    for (let index = 0; index < plan.gateways; index++) this.#startGateway(index)
    this.#startOperator()
    for (const client of plan.clients) this.agenda.in(client.at_ms, undefined, () => this.#come(client))
    for (const fault of plan.faults) this.agenda.in(fault.at_ms, undefined, () => this.#happen(fault))
  }

  /** By now everything up to here must be in the books. */
  get settledTo_ms(): number {
    return this.#now_ms() - 20_000
  }

  #now_ms(): number {
    return this.agenda.now_ms + this.#wall_ms
  }

  #startGateway(index: number): void {
    const incarnation = id<Incarnation>(`g${index}x${this.#lives++}`)
    const { agenda, disk } = this
    const life = new Life(`gateway ${incarnation}`, () => {
      this.#watch.tell(`${life.name} is killed`)
      disk.journal(incarnation).alive = false
      for (const client of this.clients) {
        const mine = client.request && gateway.running.has(client.request)
        if (mine) client.gone = true
      }
      for (const engine of this.#engines) agenda.in(1, engine.life, () => engine.gatewayGone(incarnation))
      agenda.in(restartAfter_ms, undefined, () => this.#startGateway(index))
    })
    const dice = this.#dice(`journal ${incarnation}`)
    const journal = new SimJournal({
      agenda,
      disk,
      life,
      incarnation,
      chance: dice,
      isFull: () => this.#isOn('disk full', (fault) => fault.kind === 'disk full' && fault.gateway === index),
      isSlow: () => this.#isOn('slow disk', (fault) => fault.kind === 'slow disk' && fault.gateway === index),
      told: (durable) => this.#parts.committed(durable),
    })
    // Never back within a life, as the live clock is; a new process believes the wall.
    let clock_ms = 0
    const now = () => {
      clock_ms = Math.max(clock_ms, this.#now_ms())
      return secondsOf(clock_ms)
    }
    const gateway = new SimGateway({
      agenda,
      life,
      incarnation,
      journal,
      now,
      snapshot: this.#snapshot,
      parts: this.#parts,
      generate: (replica, attempt, ask, tell) => this.#generate(gateway, replica, attempt, ask, tell),
      tellsTwice: () => this.#isOn('told twice', () => true),
      watch: (seen) => this.#watch.see(seen, disk.journal(incarnation)),
    })
    this.gateways[index] = gateway
    this.#lease(gateway)
    this.everyGateway.push(gateway)
  }

  /** Its questions for leases; the operator may die before or after it has answered. */
  #lease(gateway: SimGateway): void {
    const { purses } = gateway.policy.admitter
    purses.setGateways(this.#plan.gateways)
    const ask = (): void => {
      this.agenda.in(40, gateway.life, ask)
      const operator = this.#operator
      purses.setAlone(!operator?.alive)
      if (!operator?.alive) return
      const asks = purses.ask(gateway.now())
      if (asks.length === 0 && !purses.holdsAny) return
      operator.effect()
      const answer = this.leases.answer(gateway.incarnation, asks, this.#now_ms())
      operator.effect()
      purses.granted(answer.grants, gateway.now())
      purses.recall(answer.recalls)
    }
    this.agenda.in(1, gateway.life, ask)
  }

  #startEngine(index: number): void {
    const incarnation = `e${index}x${this.#lives++}`
    const { agenda, disk } = this
    const life = new Life(`engine ${incarnation}`, () => {
      this.#watch.tell(`${life.name} is killed`)
      const log = disk.logs.get(incarnation)
      if (log) log.alive = false
      if (log && this.#isOn('torn line', (fault) => fault.kind === 'torn line' && fault.index === index, 1e9))
        log.lines.push(undefined)
      this.#hear(index, false)
      agenda.in(2, undefined, () => engine.hangUp())
      agenda.in(restartAfter_ms, undefined, () => this.#startEngine(index))
    })
    const engine = new SimEngine({
      agenda,
      disk,
      life,
      replica: id<ReplicaId>(`own-${index}`),
      incarnation,
      now_ms: () => Math.floor(this.#now_ms()),
      slowness: () =>
        this.#isOn('slow engine', (fault) => fault.kind === 'slow engine' && fault.index === index) ? 15 : 1,
      draw: (joules) => this.#draw(joules),
      logFirst: this.#parts.engineLogsFirst,
    })
    this.#engines[index] = engine
    this.#hear(index, true)
  }

  #hear(index: number, up: boolean): void {
    for (const gateway of this.gateways)
      this.agenda.in(3, gateway.life, () => gateway.policy.router.hear(id<ReplicaId>(`own-${index}`), up))
  }

  #startOperator(): void {
    const { agenda, disk, books } = this
    const life = new Life('operator', () => {
      this.#watch.tell('the operator is killed')
      agenda.in(restartAfter_ms, undefined, () => this.#startOperator())
    })
    this.#operator = life
    new SimOperator({
      agenda,
      disk,
      life,
      books,
      parts: this.#parts,
      now_ms: () => Math.floor(this.#now_ms()),
      read: () => (this.#isOn('meter gap', () => true) ? undefined : this.#counter_uj()),
      shipsAgain: () => this.#shipAgain-- > 0,
      leases: this.leases,
    })
  }

  /** What was really drawn since the beginning, whatever the meter says. */
  get drawn_mj(): number {
    return idleWatts * (this.agenda.now_ms - start_ms) + this.#worked_uj / 1000
  }

  #draw(joules: number): void {
    this.#drawn_uj += Math.round(joules * 1e6)
    this.#worked_uj += Math.round(joules * 1e6)
  }

  /** What the meter counts: rest and work, wrapping. */
  #counter_uj(): number {
    const rest_uj = Math.round(idleWatts * (this.agenda.now_ms - this.#meterFrom_ms) * 1000)
    return (rest_uj + this.#drawn_uj) % wraps_at_uj
  }

  #generate(
    gateway: SimGateway,
    replica: ReplicaId,
    attempt: AttemptId,
    ask: ClientPlan,
    tell: (told: Told) => void,
  ): () => void {
    const { agenda } = this
    const refuse = (message: string): (() => void) => {
      tell({ kind: 'failed', failure: { fault: 'unreachable', message }, usage: undefined })
      return () => {}
    }
    if (replica === 'hosted')
      return this.#isOn('upstream away', () => true)
        ? refuse('the upstream does not answer')
        : hostedStream(agenda, gateway.life, this.#parts.answer(), ask, tell)
    const engine = this.#engines[Number(replica.slice('own-'.length))]
    if (!engine?.life.alive) return refuse('the engine does not answer')
    agenda.in(0.2, engine.life, () => engine.submit(attempt, ask, tell))
    return () => agenda.in(0.2, engine.life, () => engine.cancel(attempt))
  }

  #come(plan: ClientPlan): void {
    const client: Client = {
      plan,
      request: undefined,
      came_ms: this.agenda.now_ms,
      ended_ms: undefined,
      received: tokens(0),
      gone: false,
      ending: undefined,
    }
    this.clients.push(client)
    const gateway = this.gateways[plan.number % this.#plan.gateways]
    client.gone = !gateway?.life.alive
    if (!gateway || client.gone) return
    gateway.ask(client, askOf(plan, this.#snapshot))
    if (plan.leavesAfter === 0)
      this.agenda.in(5 + 60 * this.#dice(`leave ${plan.number}`)(), gateway.life, () => gateway.leaves(client))
  }

  #happen(fault: Fault): void {
    this.#watch.tell(JSON.stringify(fault))
    switch (fault.kind) {
      case 'kill':
        return this.#victim(fault.victim, fault.index)?.diesIn(fault.effects)
      case 'clock':
        this.#wall_ms += fault.by_ms
        return
      case 'meter reset':
        this.#meterFrom_ms = this.agenda.now_ms
        this.#drawn_uj = 0
        return
      case 'shipped again':
        this.#shipAgain = 6
        return
      default: // the others last for a while and are asked for
    }
  }

  #victim(victim: 'gateway' | 'engine' | 'operator', index: number): Life | undefined {
    if (victim === 'operator') return this.#operator
    if (victim === 'gateway') return this.gateways[index % this.#plan.gateways]?.life
    return this.#engines[index % this.#plan.engines]?.life
  }

  /** Whether a fault that lasts is on just now. */
  #isOn(kind: Fault['kind'], of: (fault: Fault) => boolean, longest = 0): boolean {
    const since = this.agenda.now_ms - start_ms
    return this.#plan.faults.some(
      (fault) =>
        fault.kind === kind &&
        of(fault) &&
        fault.at_ms <= since &&
        since < fault.at_ms + ('for_ms' in fault ? fault.for_ms : longest),
    )
  }
}
