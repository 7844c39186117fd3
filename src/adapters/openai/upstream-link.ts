import type { Pool } from 'undici'
import { dial } from '../http/dial.ts'
import type { Attempt, Engine } from './engine.ts'
import type { Preset } from './presets/preset.ts'
import { secretOf } from './secret.ts'
import type { Exchange } from './upstream-exchange.ts'

export interface UpstreamSettings {
  readonly name: string
  /** Base URL, ending before the API's own paths such as `/chat/completions` or `/messages`. */
  readonly url: string
  readonly keyFrom: string | null
  /** How this engine is spoken to. */
  readonly preset: Preset
  /** Requests at once; each holds a socket. */
  readonly concurrency: number
  /** A stream that is silent so long has stalled. Long prompts on small machines are read for a minute or more. */
  readonly stallMs: number
}

export interface Upstream extends Engine {
  /** Asks for its models, to learn whether it answers at all; told once. */
  probe(told: (up: boolean) => void): void
}

const connectMs = 5_000
const probeMs = 3_000
/** Above the set-point, so that probes and the retries of others find a socket; below what one process can hold. */
const sockets = (concurrency: number): number => Math.min(concurrency, 4096) + 2

/** The way to an upstream: its sockets, where its API begins, and its key, read when it is used. */
export interface Link {
  readonly pool: Pool
  readonly base: string
  key(): string | undefined
}

export function linkTo({ url: given, concurrency, keyFrom }: UpstreamSettings): Link {
  const url = new URL(given)
  return {
    pool: dial(url, { connections: sockets(concurrency), connectMs }),
    base: url.pathname.replace(/\/+$/, ''),
    key: () => (keyFrom ? secretOf(keyFrom) : undefined),
  }
}

export const attemptOf = (exchange: Exchange): Attempt => ({
  cancel: () => exchange.cancel(),
  pause: () => exchange.pause(),
  resume: () => exchange.resume(),
})

/** The same bound as for what we hold of our own engine's answers. */
export const largestAnswer = 32 * 1024 * 1024

/** Any answer below 500 is a sign of life, a 401 too: what is wrong then is said when a request fails. */
export function probe({ pool, base }: Link, headers: Record<string, string>, told: (up: boolean) => void): void {
  pool
    .request({ path: `${base}/models`, method: 'GET', headers, headersTimeout: probeMs, bodyTimeout: probeMs })
    .then(async ({ statusCode, body }) => {
      await body.dump({ limit: 1024 * 1024 })
      told(statusCode < 500)
    })
    .catch(() => told(false))
}
