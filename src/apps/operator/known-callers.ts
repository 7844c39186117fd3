import { hashKey } from '../../adapters/random/secret.ts'
import type { Caller } from './router.ts'
import { isOfStore } from './store-reads.ts'

/** How long before the store stopped answering somebody must have been known. */
const before_ms = 15 * 60_000
/** Far above those who look at a factory at once; who was known longest ago is forgotten first. */
const most = 1000

interface Known {
  readonly caller: Caller
  readonly at_ms: number
}

/**
 * Who called shortly before the store stopped answering. Nobody's rights can change in it meanwhile, and what they are shown by it is
 * how the factory is: so that who looks at it sees that, and not a door that is shut.
 */
export class KnownCallers {
  readonly #pepper: Uint8Array
  readonly #now: () => number
  /** By a hash of the token they came with. */
  readonly #known = new Map<string, Known>()
  #away_ms: number | undefined

  constructor(secret: string, now: () => number) {
    this.#pepper = Buffer.from(secret)
    this.#now = now
  }

  /** As `find` knows the caller; while the store does not answer, as it did. */
  of(token: string, find: () => Caller): Caller {
    const hash = hashKey(this.#pepper, token)
    try {
      const caller = find()
      this.#away_ms = undefined
      this.#keep(hash, { caller, at_ms: this.#now() })
      return caller
    } catch (cause) {
      if (!isOfStore(cause)) {
        this.#known.delete(hash)
        throw cause
      }
      this.#away_ms ??= this.#now()
      const known = this.#known.get(hash)
      if (!known || known.at_ms < this.#away_ms - before_ms) throw cause
      return known.caller
    }
  }

  #keep(hash: string, known: Known): void {
    this.#known.delete(hash)
    this.#known.set(hash, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > most && oldest !== undefined) this.#known.delete(oldest)
  }
}
