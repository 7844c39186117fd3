import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns'
import { isIP } from 'node:net'
import { buildConnector, Pool } from 'undici'
import type { Reach } from './addresses.ts'
import { reachOf } from './addresses.ts'

/** Resolves a name to all its addresses; a parameter, so that tests can play a resolver that lies. */
export type Lookup = (
  hostname: string,
  options: LookupOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** A name led where it may not: it is refused at connect time, on the address that would have been dialled. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'

  constructor(host: string, address: string) {
    super(
      `${host} is ${address}, which its URL does not declare: to reach a private address, write that address in the URL`,
    )
  }
}

export interface DialOptions {
  /** Sockets at once. A stream holds one, so this is a bound of concurrent requests too. */
  readonly connections: number
  /** How long a connection may take to stand. */
  readonly connectMs: number
  readonly lookup?: Lookup
}

/**
 * The one way out over the network: a pool whose every socket is checked when it connects.
 *
 * Names are resolved here and the *resolved* address is judged, so a name that changes its mind between two lookups
 * gains nothing. A URL that names a private or loopback address has declared it; a name that merely resolves to one
 * has not. Redirects are never followed. HTTP/1.1 only: one stream, one socket, one bound.
 */
export function dial(url: URL, options: DialOptions): Pool {
  return new Pool(url.origin, {
    connections: options.connections,
    pipelining: 1,
    connect: connector(url, options),
    // Under the 5 s after which uvicorn (vLLM, SGLang) closes an idle socket: theirs must not close first.
    keepAliveTimeout: 4_000,
  })
}

/** A pool to a socket of this machine, whose path is ours and not a tenant's. */
export const dialSocket = (path: string, connections: number): Pool =>
  new Pool('http://localhost', { socketPath: path, connections, pipelining: 1 })

function connector(url: URL, options: DialOptions): buildConnector.connector {
  const declared = declaredBy(url)
  const connect = buildConnector({
    allowH2: false,
    timeout: options.connectMs,
    lookup: guarded(options.lookup ?? (systemLookup as Lookup), declared),
  })
  return (to, callback) => {
    const literal = to.hostname.replace(/^\[|\]$/g, '')
    if (isIP(literal) && !mayReach(literal, declared))
      return queueMicrotask(() => callback(new ForbiddenAddress(to.hostname, literal), null))
    connect({ ...to, hostname: literal }, callback)
  }
}

/** What a configured URL says about where it leads. WHATWG URLs have already turned 0x7f.1 and 2130706433 into 127.0.0.1. */
export function declaredBy(url: URL): Reach {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (isIP(host)) return reachOf(host)
  return /^(.+\.)?localhost\.?$/.test(host) ? 'loopback' : 'public'
}

export function mayReach(address: string, declared: Reach): boolean {
  const reach = reachOf(address)
  return reach === 'public' || (reach !== 'forbidden' && reach === declared)
}

function guarded(lookup: Lookup, declared: Reach) {
  return (
    hostname: string,
    options: LookupOptions,
    callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
  ): void =>
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, [])
      // One bad address among good ones condemns the name: which of them is dialled is not ours to choose.
      const bad = addresses.find((one) => !mayReach(one.address, declared))
      if (bad) return callback(new ForbiddenAddress(hostname, bad.address), [])
      const [first] = addresses
      if (!first) return callback(new Error(`${hostname} has no address`), [])
      if (options.all) return callback(null, addresses)
      return callback(null, first.address, first.family)
    })
}
