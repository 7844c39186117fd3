import type { EngineHostClient, HostReport } from '../../adapters/llama/client.ts'
import type { Engine, Told } from '../../adapters/openai/engine.ts'
import { type Upstream, upstream } from '../../adapters/openai/upstream.ts'
import type { FactorySnapshot, WireEngine } from '../../adapters/operator/contract.ts'
import type { ModelId, ReplicaId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { llamaEngine } from './llama.ts'

export interface FleetPorts {
  /** Dials the engine host; called once, when the first snapshot with an embedded engine comes. */
  connectHost(listener: (report: HostReport) => void): EngineHostClient
  /** Whether a replica answers, and which of its models are not in memory, as last heard. */
  hear(replica: ReplicaId, up: boolean, cold?: ReadonlySet<string>): void
  readonly stallMs: number
}

interface Member {
  readonly engine: Engine
  wire: WireEngine
  timer: NodeJS.Timeout | undefined
}

/** A replica that is down is asked often, so that it serves again within a second; one that is up, seldom. */
const [askUpMs, askDownMs] = [10_000, 1_000]

/** The engines of the snapshot in force, and word of which of them answer. */
export class Fleet {
  readonly #ports: FleetPorts
  readonly #members = new Map<string, Member>()
  #host: EngineHostClient | undefined
  /** Some replica has answered since the start. */
  answered = false

  constructor(ports: FleetPorts) {
    this.#ports = ports
  }

  get size(): number {
    return this.#members.size
  }

  engine(replica: ReplicaId): Engine | undefined {
    return this.#members.get(replica)?.engine
  }

  /** Engines that stayed as they were keep their sockets; what left ends when its last request does. */
  apply(snapshot: FactorySnapshot): void {
    const wanted = new Map(snapshot.engines.map((wire) => [wire.name, wire]))
    for (const [name, member] of this.#members) {
      const wire = wanted.get(name)
      if (!wire || !sameAddress(wire, member.wire)) this.#drop(name, member)
      else member.wire = wire // its models may be others
    }
    for (const wire of wanted.values()) if (!this.#members.has(wire.name)) this.#add(wire)
    this.#hearHost()
  }

  close(): void {
    for (const [name, member] of this.#members) this.#drop(name, member)
    this.#host?.close()
  }

  #add(wire: WireEngine): void {
    if (wire.vendor === 'llama') {
      this.#host ??= this.#ports.connectHost(() => this.#hearHost())
      this.#members.set(wire.name, { wire, engine: llamaEngine(this.#host), timer: undefined })
    } else if (wire.url !== null) {
      const engine = upstream({
        name: wire.name,
        url: wire.url,
        keyFrom: wire.key_from,
        product: wire.product,
        concurrency: wire.concurrency,
        stallMs: this.#ports.stallMs,
      })
      const member: Member = { wire, engine: watched(engine, () => this.#ask(member, engine)), timer: undefined }
      this.#members.set(wire.name, member)
      this.#ask(member, engine)
    }
  }

  #drop(name: string, member: Member): void {
    clearTimeout(member.timer)
    this.#members.delete(name)
    member.engine.close()
  }

  /** Asks an upstream now, and again later as long as it is ours. */
  #ask(member: Member, engine: Upstream): void {
    clearTimeout(member.timer)
    engine.probe((up) => {
      if (this.#members.get(member.wire.name) !== member) return
      this.#hear(member.wire.name, up)
      clearTimeout(member.timer)
      member.timer = setTimeout(() => this.#ask(member, engine), up ? askUpMs : askDownMs).unref()
    })
  }

  /** Requests wait for a model: the embedded engine is asked to load it, if it has it and not in memory. */
  wake(model: ModelId): void {
    for (const { wire } of this.#members.values()) {
      const name = wire.vendor === 'llama' ? wire.models[model] : undefined
      const known = this.#host?.status()?.models.find((one) => one.model === name)
      if (name !== undefined && known?.state === 'cold') this.#host?.load(name)
    }
  }

  /** The embedded engine serves when its host is connected and knows one of its models, in memory or not. */
  #hearHost(): void {
    const known = this.#host?.status()?.models ?? []
    const of = (...states: readonly string[]) =>
      new Set(known.filter(({ state }) => states.includes(state)).map(({ model }) => model))
    const [cold, loading] = [of('cold', 'loading', 'leaving'), of('loading')]
    for (const { wire } of this.#members.values()) {
      if (wire.vendor !== 'llama') continue
      const mine = known.filter(({ model }) => Object.values(wire.models).includes(model))
      // At its start the first models are still being loaded: it has not answered until one is there.
      if (mine.some(({ model }) => !loading.has(model))) this.answered = true
      this.#ports.hear(id<ReplicaId>(wire.name), mine.length > 0, cold)
    }
  }

  #hear(name: string, up: boolean): void {
    if (up) this.answered = true
    this.#ports.hear(id<ReplicaId>(name), up)
  }
}

const sameAddress = (a: WireEngine, b: WireEngine): boolean =>
  a.vendor === b.vendor &&
  a.product === b.product &&
  a.url === b.url &&
  a.key_from === b.key_from &&
  a.concurrency === b.concurrency

/** An upstream that could not be reached is asked at once whether it is down, so that the next request goes elsewhere. */
const watched = (engine: Engine, suspected: () => void): Engine => ({
  close: () => engine.close(),
  generate: (job, told) =>
    engine.generate(job, (one: Told) => {
      if (one.kind === 'failed' && one.failure.fault === 'unreachable') suspected()
      told(one)
    }),
})
