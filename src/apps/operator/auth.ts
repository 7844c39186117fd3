import { newToken, sameSecret } from '../../adapters/random/secret.ts'
import { type AdminKey, includes } from '../../adapters/sqlite/registry/admins.ts'
import type { KeyRecord } from '../../adapters/sqlite/registry/keys.ts'
import { type Sessions, session_ms, type Under } from '../../adapters/sqlite/registry/sessions.ts'
import { CallRate } from './call-rate.ts'
import { ControlError } from './errors.ts'
import { KnownCallers } from './known-callers.ts'
import type { Call, Caller, Route } from './router.ts'

/** Wrong admin keys per minute and address before the door stays shut to it: far above slips of the hand, and 2^256 needs more. */
const attemptsPerMinute = 10
/** Of all addresses together: also what is remembered of them. */
const attemptsOfAll = 200

export const cookieName = 'wattmill_session'

/** The owner of the factory: whoever may read its admin.key. */
export const owner: Caller = { name: 'admin.key', role: 'admin', tenant: undefined }

/** Keys by themselves or by their id, while they are in force. */
export interface Held<Key> {
  byKey(key: string): Key | undefined
  byId(id: string): Key | undefined
}

/** Beside admin.key: keys of the control API, and keys of tenants. */
export interface Keys {
  readonly admin: Held<AdminKey>
  readonly tenant: Held<KeyRecord>
}

/**
 * Who may use the control API: whoever holds the admin key or one with a role, or a session made with it; and a tenant's own
 * view of itself, whoever holds one of its keys. The command line
 * reads the key from its file, so that nothing depends on which way a request came; only what gateways ask (`/internal/`) is
 * known by the socket alone, which other users of the machine cannot open and over which no gateway relays a client's
 * `/internal/`.
 */
export class Admission {
  readonly #adminKey: string
  readonly #keys: Keys
  readonly #now: () => number
  readonly #sessions: Sessions
  readonly #rate = new CallRate()
  readonly #known: KnownCallers
  #failures: { readonly at: number; readonly from: string }[] = []

  constructor(adminKey: string, keys: Keys, sessions: Sessions, now: () => number) {
    this.#adminKey = adminKey
    this.#keys = keys
    this.#sessions = sessions
    this.#now = now
    this.#known = new KnownCallers(adminKey, now)
  }

  /** Who asks, when that one may; undefined: it does not matter who. */
  authorise(route: Route, call: Call): Caller | undefined {
    const { role } = route
    if (role === 'anyone' || (route.near && call.headers?.['x-wattmill-near'] === '1')) return undefined
    if (role === 'gateway') return refuseRelayed(route, call)
    const find = (): Caller => this.#caller(route, call)
    const caller = route.storeless ? this.#known.of(bearerOf(call) ?? sessionOf(call), find) : find()
    const why = refusalOf(route, caller)
    if (why !== undefined) throw new ControlError('forbidden', why, nextFor(route, caller))
    if (caller.role === 'tenant') this.#rate.count(caller.tenant, this.#now())
    return caller
  }

  #caller(route: Route, call: Call): Caller {
    const bearer = bearerOf(call)
    return (bearer !== undefined ? this.#holder(bearer) : undefined) ?? this.#inSession(route, call)
  }

  /** A key for a session's token. */
  login(key: string, from: string): string {
    const now = this.#now()
    this.#failures = this.#failures.filter(({ at }) => at > now - 60_000)
    const mine = this.#failures.filter((failure) => failure.from === from).length
    if (mine >= attemptsPerMinute || this.#failures.length >= attemptsOfAll)
      throw new ControlError('too_many_attempts', 'too many wrong keys')
    const under = this.#under(key)
    if (!under) {
      this.#failures.push({ at: now, from })
      throw new ControlError('unauthorized', 'that is not the admin key, nor one with a role, nor a key of a tenant', {
        next: 'Look whether all of it was copied; a key that is revoked or expired opens nothing.',
      })
    }
    const token = newToken()
    this.#sessions.begin(token, now, under)
    return token
  }

  /** What a session begins under; undefined: nobody knows that key. */
  #under(key: string): Under | undefined {
    if (sameSecret(key, this.#adminKey)) return { admin_key: null, api_key: null }
    const admin = this.#keys.admin.byKey(key)
    if (!admin) {
      const own = this.#keys.tenant.byKey(key)
      if (own) this.#rate.count(own.tenant, this.#now())
      return own && { admin_key: null, api_key: own.id }
    }
    if (admin.tenant !== null)
      throw new ControlError('forbidden', 'the console shows the whole factory, and this key is for one tenant', {
        next: 'Use it as a bearer token; docs/api.md lists what it may ask. A tenant logs in with a key of its own.',
      })
    return { admin_key: admin.id, api_key: null }
  }

  /** How long a tenant's question kept the operator busy: it counts as its calls do. */
  took(tenant: string, ms: number): void {
    this.#rate.took(tenant, ms)
  }

  logout(call: Call): void {
    this.#sessions.end(sessionOf(call))
  }

  /** A tenant's key took the place of another: the session that saw to it goes on under the new one. */
  moved(call: Call, from: string, to: string): void {
    this.#sessions.move(sessionOf(call), from, to)
  }

  #holder(key: string): Caller | undefined {
    if (sameSecret(key, this.#adminKey)) return owner
    return callerOf(this.#keys.admin.byKey(key)) ?? tenantOf(this.#keys.tenant.byKey(key))
  }

  #holderOf({ admin_key, api_key }: Under): Caller | undefined {
    if (api_key !== null) return tenantOf(this.#keys.tenant.byId(api_key))
    return admin_key === null ? owner : callerOf(this.#keys.admin.byId(admin_key))
  }

  #inSession(route: Route, call: Call): Caller {
    const session = this.#sessions.find(sessionOf(call), this.#now())
    const caller = session && this.#holderOf(session)
    if (!caller) throw new ControlError('unauthorized', 'the control API needs an admin key')
    // A page of another origin cannot set a header of its own, whatever cookie the browser adds.
    if (route.method !== 'GET' && call.headers?.['x-wattmill'] !== '1')
      throw new ControlError('csrf', 'a change made by cookie lacks the header x-wattmill')
    return caller
  }
}

/** Why a caller may not call a route; undefined: it may. */
export function refusalOf({ method, path, role, of, tenants }: Route, caller: Caller): string | undefined {
  if (role === 'anyone') return undefined
  if (role === 'gateway') return `${path} is for gateways`
  if (caller.role === 'tenant')
    return role === 'tenant' || tenants
      ? undefined
      : `${path} is not for tenants; their own routes begin with /api/tenant`
  if (role === 'tenant') return `${path} shows a tenant what is its own; ask with a key of that tenant`
  if (!includes(caller.role, role)) return `${method} ${path} needs the role ${role}; this key is a ${caller.role}'s`
  if (caller.tenant !== undefined && of === undefined)
    return `${path} is of the whole factory; this key is for tenant ${caller.tenant} alone`
  return undefined
}

const nextFor = ({ role }: Route, caller: Caller): { next?: string } =>
  role === 'tenant' || caller.role === 'tenant' ? { next: 'docs/api.md lists what each key may ask.' } : {}

const tenantOf = (key: KeyRecord | undefined): Caller | undefined =>
  key && { name: `tenant ${key.tenant} (${key.id})`, role: 'tenant', tenant: key.tenant, key }

const callerOf = (key: AdminKey | undefined): Caller | undefined =>
  key && { name: `${key.name} (${key.id})`, role: key.role, tenant: key.tenant ?? undefined }

/** A second lock on that door: a relay names the client it speaks for. */
function refuseRelayed({ path }: Route, { headers }: Call): undefined {
  if (headers?.['x-forwarded-for'] !== undefined || headers?.['x-wattmill-relay'] !== undefined)
    throw new ControlError('route_not_found', `there is no ${path}`)
}

const bearerOf = (call: Call): string | undefined => /^Bearer\s+(\S+)$/i.exec(call.headers?.authorization ?? '')?.[1]

/** Random and 256 bits long. */
const sessionOf = (call: Call): string =>
  new RegExp(`(?:^|;\\s*)${cookieName}=([\\w-]{43})(?:;|$)`).exec(call.headers?.cookie ?? '')?.[1] ?? ''

export const sessionCookie = (token: string, secure: boolean): string =>
  `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${token ? session_ms / 1000 : 0}${secure ? '; Secure' : ''}`

/** The client's address as the gateway tells it; without a gateway it is this machine. */
export const addressOf = ({ headers }: Call): string => headers?.['x-forwarded-for'] ?? 'local'

/** The client came by TLS: its cookie must never travel otherwise. */
export const isSecure = ({ headers }: Call): boolean => headers?.['x-forwarded-proto'] === 'https'
