import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'

/** Who asks: its address, and whether it spoke TLS on its side. */
export interface Client {
  readonly address: string
  readonly secure: boolean
}

/** Where a request came in: the other end of the socket. */
export interface Arrival {
  readonly peer: string | undefined
  readonly encrypted: boolean
  readonly headers: IncomingHttpHeaders
}

/** `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`: an address alone is a network of one. Undefined: not such a text. */
export function parseNetwork(text: string): { address: string; bits: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [, address = '', length] = /^([\da-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const family = isIP(address)
  const widest = family === 4 ? 32 : 128
  const bits = length === undefined ? widest : Number(length)
  if (family === 0 || bits > widest) return undefined
  return { address, bits, family: family === 4 ? 'ipv4' : 'ipv6' }
}

/** Peers whose word on where a request came from is taken; of anybody else it is not. */
export class Proxies {
  readonly #networks = new BlockList()

  constructor(networks: readonly string[]) {
    for (const text of networks) {
      const network = parseNetwork(text)
      if (!network) throw new Error(`${text} is no address and no network such as 10.0.0.0/8`)
      this.#networks.addSubnet(network.address, network.bits, network.family)
    }
  }

  trust(address: string): boolean {
    const family = isIP(address)
    return family !== 0 && this.#networks.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }

  /**
   * The nearest hop that is no proxy of ours. `x-forwarded-for` is read from its end: what stands before the first hop that
   * is not trusted was written by somebody who is not trusted.
   */
  clientOf({ peer = '', encrypted, headers }: Arrival): Client {
    let address = plain(peer)
    if (!this.trust(address)) return { address, secure: encrypted }
    const hops = listed(headers['x-forwarded-for'])
    while (this.trust(address)) {
      const before = withoutPort(hops.pop() ?? '')
      if (isIP(before) === 0) break
      address = plain(before)
    }
    return { address, secure: listed(headers['x-forwarded-proto']).at(-1)?.toLowerCase() === 'https' }
  }
}

/** Whom a request comes from, on a socket with or without TLS. */
export const clientOf = ({ socket, headers }: IncomingMessage, proxies: Proxies): Client =>
  proxies.clientOf({ peer: socket.remoteAddress, encrypted: 'encrypted' in socket, headers })

const listed = (header: string | string[] | undefined): string[] =>
  [header ?? []].flat().flatMap((line) => line.split(',').map((part) => part.trim()))

/** IPv4 as a socket of both families writes it. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '')

/** Some proxies write the port too: `192.0.2.7:4711`, `[2001:db8::1]:4711`. */
const withoutPort = (hop: string): string =>
  /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop
