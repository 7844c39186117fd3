import type { Home } from '../../adapters/files/home.ts'
import { asControlError, type ControlCode, ControlError, controlCatalogue } from '../operator/errors.ts'
import { Child, type ChildMessage } from './child.ts'
import { forkEngine, forkGateway, forkOperator, type ModelArgument } from './children.ts'
import { urlOf } from './port.ts'
import type { Config } from './settings.ts'

/** What a gateway gives its clients to finish, and some seconds to end itself. */
const gatewayPatience_ms = 40_000
/** The engine's last streams, if there are any that no gateway waits for. */
const enginePatience_ms = 30_000
/** Answers under way, and the last turn over the journals. */
const operatorPatience_ms = 15_000
/** A gateway that finds all it needs is ready in a second or two; the old one serves on meanwhile. */
const readyWait_ms = 60_000
/** A large model takes minutes to load; the gateways need not wait for it, and neither does the word that all is up. */
const engineWait_ms = 20_000

export interface LauncherParts {
  readonly home: Home
  readonly config: Config
  readonly port: number
  /** Folder of the console's files. */
  readonly console: string
  say(line: string): void
  /** The settings as they are now. */
  reread(): Config
}

/**
 * The processes of one factory and their order: the operator first, since it knows the fleet; then engine and gateways; and
 * the other way round to stop. It keeps no state: what it knows is told again at each start.
 */
export class Launcher {
  readonly #say: (line: string) => void
  readonly #operator: Child
  readonly #engine: Child
  readonly #gateways: Child[]
  /** Of a rolling restart: the gateway that comes or goes, beside those that serve. */
  #between: Child | undefined
  #restarting: Promise<number> | undefined
  #config: Config
  readonly #reread: () => Config
  readonly #gateway: (slot: number) => Child
  readonly #firstWord = new Map<Child, (message: ChildMessage) => void>()
  #models: readonly ModelArgument[] = []
  #stopped: Promise<void> | undefined

  constructor({ home, config, port, console, say, reread }: LauncherParts) {
    this.#say = say
    this.#config = config
    this.#reread = reread
    const child = (name: string, fork: () => ReturnType<typeof forkOperator>): Child =>
      new Child(name, fork, (message, from) => this.#hear(message, from), say)
    const url = urlOf(config.host, port, config.certificate !== undefined)
    this.#operator = child('operator', () => forkOperator(home, config, url, console))
    this.#engine = child('engine', () => forkEngine(home, config, this.#models))
    this.#gateway = (slot) =>
      child(config.gateways === 1 ? 'gateway' : `gateway ${slot}`, () => forkGateway(home, this.#config, port, slot))
    this.#gateways = Array.from({ length: config.gateways }, (_, slot) => this.#gateway(slot))
  }

  /** Starts all; returns whether this was the factory's first start, and whether the engine is up already. */
  async start(): Promise<{ readonly first: boolean; readonly engine: boolean }> {
    const operator = await this.#begin(this.#operator)
    // Of several homes that share a store only the first one has an engine of its own.
    const engine =
      operator.inside === false
        ? Promise.resolve(true)
        : this.#begin(this.#engine).then(
            () => true,
            () => false,
          )
    await Promise.all(this.#gateways.map((gateway) => this.#begin(gateway)))
    return { first: operator.first === true, engine: await within(engine, engineWait_ms) }
  }

  /**
   * One gateway after the other: the new one listens on the shared port before the old one stops accepting, so no connection
   * meets a closed door. They come up with the limits, the certificate and the trusted proxies that the settings hold now.
   */
  restartGateways(): Promise<number> {
    this.#restarting ??= this.#replaceGateways().finally(() => {
      this.#restarting = undefined
    })
    return this.#restarting
  }

  async #replaceGateways(): Promise<number> {
    const { gateway, certificate, trustedProxies } = this.#reread()
    this.#config = { ...this.#config, gateway, certificate, trustedProxies }
    for (const [slot, old] of this.#gateways.entries()) {
      if (this.#stopped) return slot
      const fresh = this.#gateway(slot)
      this.#between = fresh
      try {
        if (!(await within(this.#begin(fresh), readyWait_ms))) throw notReady(fresh.name)
      } catch (cause) {
        fresh.kill()
        this.#between = undefined
        throw cause
      }
      this.#gateways[slot] = fresh
      this.#between = old
      await old.retire(gatewayPatience_ms)
      this.#between = undefined
    }
    return this.#gateways.length
  }

  /** Gateways first, so that what clients wait for is finished and booked. Stopping twice is stopping once. */
  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      await Promise.all(this.#allGateways().map((gateway) => gateway.stop(gatewayPatience_ms)))
      await this.#engine.stop(enginePatience_ms)
      await this.#operator.stop(operatorPatience_ms)
    })()
    return this.#stopped
  }

  kill(): void {
    for (const child of [...this.#allGateways(), this.#engine, this.#operator]) child.kill()
  }

  #allGateways(): Child[] {
    return this.#between ? [...this.#gateways, this.#between] : this.#gateways
  }

  #begin(child: Child): Promise<ChildMessage> {
    return new Promise((resolve, reject) => {
      this.#firstWord.set(child, (message) => {
        if (message.ready) resolve(message)
        else reject(explained(child.name, message))
      })
      child.onDeath = (how) => this.#hear({ failed: { code: 'start_failed', message: `it ended (${how})` } }, child)
      child.start()
    })
  }

  #hear(message: ChildMessage, child: Child): void {
    if (child === this.#operator && Array.isArray(message.models)) this.#models = message.models as ModelArgument[]
    if (child === this.#operator && message.restart === 'gateways') this.#restartFor(child)
    if (message.word) for (const gateway of this.#allGateways()) if (gateway !== child) gateway.offer(message)
    if (!message.ready && !message.failed) return
    const first = this.#firstWord.get(child)
    this.#firstWord.delete(child)
    if (first) return first(message)
    if (message.failed && message.failed.code !== 'start_failed') this.#say(`${child.name}: ${message.failed.message}`)
    if (message.ready) this.#say(`${child.name} is up again`)
  }

  #restartFor(operator: Child): void {
    this.restartGateways().then(
      (gateways) => operator.send({ restarted: { gateways } }),
      (cause: unknown) => {
        const { code, message, next } = asControlError(cause)
        operator.send({ restarted: { failed: { code, message, next } } })
      },
    )
  }
}

const notReady = (name: string): ControlError =>
  new ControlError(
    'start_failed',
    `the new ${name} was not ready within ${readyWait_ms / 1000} s; the old one serves on`,
    {
      next: 'wattmill doctor',
    },
  )

function explained(name: string, { failed }: ChildMessage): ControlError {
  const { code = 'start_failed', message = 'no reason given', next } = failed ?? {}
  const known =
    code === 'EADDRINUSE'
      ? 'port_in_use'
      : Object.hasOwn(controlCatalogue, code)
        ? (code as ControlCode)
        : 'start_failed'
  return new ControlError(known, `the ${name} did not start: ${message}`, { next })
}

const within = <T>(promise: Promise<T>, most_ms: number): Promise<T | false> => {
  let timer: NodeJS.Timeout
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), most_ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
