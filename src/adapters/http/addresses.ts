import { isIP } from 'node:net'

/**
 * Where an address leads. `forbidden` is never dialled: clouds hand out credentials at link-local addresses, and
 * nothing that serves a model lives at a multicast or unspecified one.
 */
export type Reach = 'public' | 'private' | 'loopback' | 'forbidden'

/** First match wins, so the single addresses stand before the ranges that hold them. */
const ranges4: readonly (readonly [string, number, Reach])[] = [
  ['169.254.0.0', 16, 'forbidden'], // link-local; 169.254.169.254 and .170.2 are AWS, GCP, Azure and ECS metadata
  ['100.100.100.200', 32, 'forbidden'], // Alibaba metadata
  ['168.63.129.16', 32, 'forbidden'], // Azure's wire server
  ['192.0.0.0', 24, 'forbidden'], // protocol assignments; 192.0.0.192 is Oracle metadata
  ['0.0.0.0', 8, 'forbidden'], // "this host": on Linux it connects to loopback
  ['224.0.0.0', 3, 'forbidden'], // multicast, reserved, broadcast
  ['127.0.0.0', 8, 'loopback'],
  ['10.0.0.0', 8, 'private'],
  ['172.16.0.0', 12, 'private'],
  ['192.168.0.0', 16, 'private'],
  ['100.64.0.0', 10, 'private'], // carrier NAT, also used by overlay networks
  ['198.18.0.0', 15, 'private'], // benchmark networks
]

const ranges6: readonly (readonly [string, number, Reach])[] = [
  ['fd00:ec2::254', 128, 'forbidden'], // AWS metadata, inside a private range
  ['fd20:ce::254', 128, 'forbidden'], // GCP metadata
  ['::', 128, 'forbidden'],
  ['::1', 128, 'loopback'],
  ['fe80::', 10, 'forbidden'], // link-local
  ['ff00::', 8, 'forbidden'], // multicast
  ['fc00::', 7, 'private'],
  ['fec0::', 10, 'private'], // site-local, deprecated and still routed
  ['64:ff9b:1::', 48, 'private'], // local NAT64
]

/** IPv6 that carries an IPv4 address, and how many bits stand to the right of it: judged by what it carries. */
const carriers: readonly (readonly [string, number, bigint])[] = [
  ['::ffff:0:0', 96, 0n], // mapped
  ['::ffff:0:0:0', 96, 0n], // translated
  ['64:ff9b::', 96, 0n], // NAT64
  ['2002::', 16, 80n], // 6to4
  ['::', 96, 0n], // compatible, deprecated
]

/** Judges a literal address as a resolver gives it; what is no address is forbidden. */
export function reachOf(address: string): Reach {
  const plain = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const family = isIP(plain)
  if (family === 4) return reach4(value4(plain))
  if (family === 6) return reach6(value6(plain))
  return 'forbidden'
}

/** Only this machine gets there: an address of loopback, or the name that every system gives it. */
export const isLoopback = (host: string): boolean => host === 'localhost' || reachOf(host) === 'loopback'

const reach4 = (value: bigint): Reach =>
  ranges4.find(([prefix, bits]) => within(value, value4(prefix), bits, 32))?.[2] ?? 'public'

function reach6(value: bigint): Reach {
  const listed = ranges6.find(([prefix, bits]) => within(value, value6(prefix), bits, 128))
  if (listed) return listed[2]
  const carrier = carriers.find(([prefix, bits]) => within(value, value6(prefix), bits, 128))
  return carrier ? reach4((value >> carrier[2]) & 0xffff_ffffn) : 'public'
}

const within = (value: bigint, prefix: bigint, bits: number, width: number): boolean =>
  value >> BigInt(width - bits) === prefix >> BigInt(width - bits)

const value4 = (text: string): bigint => text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)

function value6(text: string): bigint {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const low = dotted ? value4(dotted[2] ?? '') : 0n
  const hex = dotted ? `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}` : text
  const [left = '', right] = hex.split('::')
  const before = left === '' ? [] : left.split(':')
  const after = right === undefined || right === '' ? [] : right.split(':')
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n)
}
