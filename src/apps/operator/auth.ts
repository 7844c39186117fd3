import { newToken, sameSecret } from '../../adapters/random/secret.ts'
import { type Sessions, session_ms } from '../../adapters/sqlite/registry/sessions.ts'
import { ControlError } from './errors.ts'
import type { Call, Route } from './router.ts'

/** Wrong admin keys per minute and address before the door stays shut to it: far above slips of the hand, and 2^256 needs more. */
const attemptsPerMinute = 10
/** Of all addresses together: also what is remembered of them. */
const attemptsOfAll = 200

export const cookieName = 'wattmill_session'

/**
 * Who may use the control API: whoever holds the admin key, or a session made with it. The command line reads the key from
 * its file, so that nothing depends on which way a request came; only what gateways ask (`/internal/`) is known by the
 * socket alone, which other users of the machine cannot open and over which no gateway relays a client's `/internal/`.
 */
export class Admission {
  readonly #adminKey: string
  readonly #now: () => number
  readonly #sessions: Sessions
  #failures: { readonly at: number; readonly from: string }[] = []

  constructor(adminKey: string, sessions: Sessions, now: () => number) {
    this.#adminKey = adminKey
    this.#sessions = sessions
    this.#now = now
  }

  authorise(route: Route, call: Call): void {
    if (route.open === true || (route.open === 'near' && call.headers?.['x-wattmill-near'] === '1')) return
    if (route.path.startsWith('/internal/')) return refuseRelayed(route, call)
    const bearer = /^Bearer\s+(\S+)$/i.exec(call.headers?.authorization ?? '')?.[1]
    if (bearer !== undefined && sameSecret(bearer, this.#adminKey)) return
    if (!this.#inSession(call)) throw new ControlError('unauthorized', 'the control API needs the admin key')
    // A page of another origin cannot set a header of its own, whatever cookie the browser adds.
    if (route.method !== 'GET' && call.headers?.['x-wattmill'] !== '1')
      throw new ControlError('csrf', 'a change made by cookie lacks the header x-wattmill')
  }

  /** The admin key for a session's token. */
  login(key: string, from: string): string {
    const now = this.#now()
    this.#failures = this.#failures.filter(({ at }) => at > now - 60_000)
    const mine = this.#failures.filter((failure) => failure.from === from).length
    if (mine >= attemptsPerMinute || this.#failures.length >= attemptsOfAll)
      throw new ControlError('too_many_attempts', 'too many wrong admin keys')
    if (!sameSecret(key, this.#adminKey)) {
      this.#failures.push({ at: now, from })
      throw new ControlError('unauthorized', 'that is not the admin key')
    }
    const token = newToken()
    this.#sessions.begin(token, now)
    return token
  }

  logout(call: Call): void {
    this.#sessions.end(sessionOf(call))
  }

  #inSession(call: Call): boolean {
    return this.#sessions.has(sessionOf(call), this.#now())
  }
}

/** A second lock on that door: a relay names the client it speaks for. */
function refuseRelayed({ path }: Route, { headers }: Call): void {
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
