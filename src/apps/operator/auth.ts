import { newToken, sameSecret } from '../../adapters/random/secret.ts'
import { type AdminKey, includes } from '../../adapters/sqlite/registry/admins.ts'
import { type Sessions, session_ms } from '../../adapters/sqlite/registry/sessions.ts'
import { ControlError } from './errors.ts'
import type { Call, Caller, Route } from './router.ts'

/** Wrong admin keys per minute and address before the door stays shut to it: far above slips of the hand, and 2^256 needs more. */
const attemptsPerMinute = 10
/** Of all addresses together: also what is remembered of them. */
const attemptsOfAll = 200

export const cookieName = 'wattmill_session'

/** The owner of the factory: whoever may read its admin.key. */
export const owner: Caller = { name: 'admin.key', role: 'admin', tenant: undefined }

/** Keys of the control API beside admin.key, while they are in force. */
export interface AdminKeys {
  byKey(key: string): AdminKey | undefined
  byId(id: string): AdminKey | undefined
}

/**
 * Who may use the control API: whoever holds the admin key or one with a role, or a session made with it. The command line
 * reads the key from its file, so that nothing depends on which way a request came; only what gateways ask (`/internal/`) is
 * known by the socket alone, which other users of the machine cannot open and over which no gateway relays a client's
 * `/internal/`.
 */
export class Admission {
  readonly #adminKey: string
  readonly #keys: AdminKeys
  readonly #now: () => number
  readonly #sessions: Sessions
  #failures: { readonly at: number; readonly from: string }[] = []

  constructor(adminKey: string, keys: AdminKeys, sessions: Sessions, now: () => number) {
    this.#adminKey = adminKey
    this.#keys = keys
    this.#sessions = sessions
    this.#now = now
  }

  /** Who asks, when that one may; undefined: it does not matter who. */
  authorise(route: Route, call: Call): Caller | undefined {
    const { role } = route
    if (role === 'anyone' || (route.near && call.headers?.['x-wattmill-near'] === '1')) return undefined
    if (role === 'gateway') return refuseRelayed(route, call)
    const bearer = /^Bearer\s+(\S+)$/i.exec(call.headers?.authorization ?? '')?.[1]
    const caller = (bearer !== undefined ? this.#holder(bearer) : undefined) ?? this.#inSession(route, call)
    if (!includes(caller.role, role))
      throw new ControlError(
        'forbidden',
        `${route.method} ${route.path} needs the role ${role}; this key is a ${caller.role}'s`,
      )
    if (caller.tenant !== undefined && route.of === undefined)
      throw new ControlError(
        'forbidden',
        `${route.path} is of the whole factory; this key is for tenant ${caller.tenant} alone`,
      )
    return caller
  }

  /** A key for a session's token. */
  login(key: string, from: string): string {
    const now = this.#now()
    this.#failures = this.#failures.filter(({ at }) => at > now - 60_000)
    const mine = this.#failures.filter((failure) => failure.from === from).length
    if (mine >= attemptsPerMinute || this.#failures.length >= attemptsOfAll)
      throw new ControlError('too_many_attempts', 'too many wrong admin keys')
    const found = sameSecret(key, this.#adminKey) ? null : this.#keys.byKey(key)
    if (found === undefined) {
      this.#failures.push({ at: now, from })
      throw new ControlError('unauthorized', 'that is not the admin key, nor one with a role')
    }
    if (found !== null && found.tenant !== null)
      throw new ControlError('forbidden', 'the console shows the whole factory, and this key is for one tenant', {
        next: 'Use it as a bearer token; docs/api.md lists what it may ask.',
      })
    const token = newToken()
    this.#sessions.begin(token, now, found?.id ?? null)
    return token
  }

  logout(call: Call): void {
    this.#sessions.end(sessionOf(call))
  }

  #holder(key: string): Caller | undefined {
    return sameSecret(key, this.#adminKey) ? owner : callerOf(this.#keys.byKey(key))
  }

  #inSession(route: Route, call: Call): Caller {
    const session = this.#sessions.find(sessionOf(call), this.#now())
    const caller = session && (session.admin_key === null ? owner : callerOf(this.#keys.byId(session.admin_key)))
    if (!caller) throw new ControlError('unauthorized', 'the control API needs an admin key')
    // A page of another origin cannot set a header of its own, whatever cookie the browser adds.
    if (route.method !== 'GET' && call.headers?.['x-wattmill'] !== '1')
      throw new ControlError('csrf', 'a change made by cookie lacks the header x-wattmill')
    return caller
  }
}

const callerOf = (key: AdminKey | undefined): Caller | undefined =>
  key && { name: `${key.name} (${key.id})`, role: key.role, tenant: key.tenant ?? undefined }

/** A second lock on that door: a relay names the client it speaks for. */
function refuseRelayed({ path }: Route, { headers }: Call): undefined {
  if (headers?.['x-forwarded-for'] !== undefined || headers?.['x-wattmill-relay'] !== undefined)
    throw new ControlError('route_not_found', `there is no ${path}`)
}

/** Random and 256 bits long. */
const sessionOf = (call: Call): string =>
  new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]{43})(?:;|$)`).exec(call.headers?.cookie ?? '')?.[1] ?? ''

export const sessionCookie = (token: string, secure: boolean): string =>
  `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${token ? session_ms / 1000 : 0}${secure ? '; Secure' : ''}`

/** The client's address as the gateway tells it; without a gateway it is this machine. */
export const addressOf = ({ headers }: Call): string => headers?.['x-forwarded-for'] ?? 'local'

/** The client came by TLS: its cookie must never travel otherwise. */
export const isSecure = ({ headers }: Call): boolean => headers?.['x-forwarded-proto'] === 'https'
