import { createHash, hash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { writeWhole } from '../files/home.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Letters and digits only, so that a double click takes the whole of it. Each is worth 5.95 bits. */
const letters = (length: number): string => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')

/** An API key: 43 letters are 256 bits. */
export const newApiKey = (): string => `wm-${letters(43)}`

/** A name for people to type; uniqueness is the store's to enforce. */
export const newId = (kind: string): string => `${kind}_${letters(10)}`

/** A token that is never typed: sessions of the page. */
export const newToken = (): string => randomBytes(32).toString('base64url')

/** The admin key looks unlike an API key, so that one is not taken for the other. */
export const newAdminKey = (): string => `wm-admin-${letters(43)}`

/** How a key is stored and looked up: hex of HMAC-SHA-256 under the bytes of the pepper file. */
export function hashKey(pepper: Uint8Array, key: string): string {
  const { inner, outer } = padsOf(pepper)
  return hash(
    'sha256',
    Buffer.concat([outer, hash('sha256', Buffer.concat([inner, Buffer.from(key)]), 'buffer')]),
    'hex',
  )
}

interface Pads {
  readonly inner: Buffer
  readonly outer: Buffer
}

const pads = new WeakMap<Uint8Array, Pads>()

/** RFC 2104 in its two plain hashes: to make Node's `Hmac` object costs many times as much, for each request. */
function padsOf(pepper: Uint8Array): Pads {
  const known = pads.get(pepper)
  if (known) return known
  const block = Buffer.alloc(64)
  block.set(pepper.length > block.length ? hash('sha256', pepper, 'buffer') : pepper)
  const made = {
    inner: Buffer.from(block.map((byte) => byte ^ 0x36)),
    outer: Buffer.from(block.map((byte) => byte ^ 0x5c)),
  }
  pads.set(pepper, made)
  return made
}

/** Compares without telling by its time how much was right; lengths are hidden by hashing both. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** The secret in a file that only its owner reads; made on the first call. Text, so that it can be backed up by hand. */
export function keptSecret(path: string, make: () => string): { readonly secret: string; readonly made: boolean } {
  if (existsSync(path)) return { secret: readFileSync(path, 'utf8').trim(), made: false }
  const secret = make()
  writeWhole(path, secret)
  return { secret, made: true }
}

export const newPepper = (): string => randomBytes(32).toString('hex')
