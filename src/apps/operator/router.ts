import Type from 'typebox'
import { logDeed } from '../../adapters/sqlite/changes/log.ts'
import type { Role } from '../../adapters/sqlite/registry/admins.ts'
import type { KeyRecord } from '../../adapters/sqlite/registry/keys.ts'
import { asControlError, ControlError, controlCatalogue } from './errors.ts'
import type { Factory } from './factory.ts'
import { inputParser, type Parse } from './input.ts'
import { checkOwner, type OfTenant, withTenant } from './tenancy.ts'

/** One request to the control API, whether it came over a socket or from the command line in this process. */
export interface Call {
  readonly method: string
  /** With the query. */
  readonly url: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string | undefined>>
  /** Who it is, once that is known; undefined where anybody may ask. */
  readonly caller?: Caller | undefined
  /** All that can be called, for those who ask what they may. */
  readonly routes?: readonly Route[]
}

/** Who asks: the owner of the factory, a key of the control API, or a tenant by a key of its own. */
export type Caller = {
  /** As the log of changes names it. */
  readonly name: string
} & (
  | {
      readonly role: Role
      /** undefined: the whole factory. */
      readonly tenant: string | undefined
    }
  | { readonly role: 'tenant'; readonly tenant: string; readonly key: KeyRecord }
)

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON; or text; or bytes; or text line by line, for what is too long to hold. */
  readonly body:
    | { readonly json: unknown }
    | { readonly text: string }
    | { readonly bytes: Uint8Array }
    | { readonly lines: Iterable<string> }
}

/** A handler's answer when it is not plain JSON. */
export class Answer {
  readonly reply: Reply

  constructor(reply: Reply) {
    this.reply = reply
  }
}

/**
 * The least role that may call a route; `tenant`: no role, but a tenant by a key of its own; `anyone`: the page itself, and logging
 * in; `gateway`: by the socket alone.
 */
export type Access = Role | 'tenant' | 'anyone' | 'gateway'

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  /** One line for the list of routes. */
  readonly about: string
  readonly role: Access
  readonly near: boolean
  readonly tenants: boolean
  readonly storeless: boolean
  readonly of: OfTenant | undefined
  readonly match: (path: string) => Record<string, string> | undefined
  readonly parse: Parse
  readonly run: (factory: Factory, input: Record<string, unknown>, call: Call) => unknown
}

interface Wanted<P extends Type.TProperties> {
  readonly method: Route['method']
  readonly path: string
  readonly about: string
  readonly role: Access
  /** Programs of this machine need no key, without anything in between. */
  readonly near?: true
  /** It answers while the store does not: then for whoever was known shortly before. */
  readonly storeless?: true
  /** Tenants may call it too, by keys of their own: it tells of the caller alone. */
  readonly tenants?: true
  /** How a key of one tenant may call it, and see that tenant alone; without this it may not. */
  readonly of?: OfTenant
  readonly input?: P
  readonly run: (factory: Factory, input: Type.Static<Type.TObject<P>>, call: Call) => unknown
}

/** A route; `{name}` in its path is a field of the input. */
export function route<P extends Type.TProperties>(wanted: Wanted<P>): Route {
  const names = [...wanted.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
  const form = new RegExp(`^${wanted.path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '([^/]+)')}$`)
  return {
    method: wanted.method,
    path: wanted.path,
    about: wanted.about,
    role: wanted.role,
    near: wanted.near ?? false,
    tenants: wanted.tenants ?? false,
    storeless: wanted.storeless ?? false,
    of: wanted.of,
    match: (path) => {
      const values = form.exec(path)?.slice(1)
      return values && Object.fromEntries(names.map((name, index) => [name, decode(values[index] ?? '')]))
    },
    parse: inputParser(Type.Object(wanted.input ?? ({} as P))),
    run: wanted.run as unknown as Route['run'],
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new ControlError('invalid_value', 'the path has a broken % escape')
  }
}

/** Finds the route, checks who asks, parses, runs. Never throws: what went wrong is the reply. */
export async function dispatch(
  routes: readonly Route[],
  factory: Factory,
  call: Call,
  authorise: (route: Route, call: Call) => Caller | undefined,
): Promise<Reply> {
  try {
    const url = new URL(call.url, 'http://operator')
    const { route, values } = find(routes, call.method, url.pathname)
    const caller = authorise(route, call)
    const query = Object.fromEntries(url.searchParams)
    const text = { ...query, ...values }
    const given = withTenant(route.of, caller, { ...objectOf(call.body), ...text })
    const input = route.parse(given, Object.keys(text))
    checkOwner(route.of, caller, factory, input)
    const result = await acted(route, factory, input, { ...call, caller, routes })
    return result instanceof Answer ? result.reply : { status: 200, body: { json: result } }
  } catch (cause) {
    return replyOf(cause, factory)
  }
}

/** What changes something is done in its caller's name, and leaves a line in the log of changes. */
async function acted(route: Route, factory: Factory, input: Record<string, unknown>, call: Call): Promise<unknown> {
  const { caller } = call
  if (!caller || !changes(route)) return route.run(factory, input, call)
  const actor = { who: caller.name, action: `${route.method} ${route.path}`, logged: false }
  const store = factory.store.as(actor)
  const result = await route.run({ ...factory, store }, input, call)
  const of = ['id', 'name'].map((field) => input[field]).find((value) => typeof value === 'string')
  // A tenant's changes are of keys, and log themselves; what changed nothing would fill a log that is for good.
  if (!actor.logged && route.role !== 'tenant')
    store.transaction(() => logDeed(store.database, actor, String(of ?? '')))
  return result
}

const changes = ({ method, role }: Route): boolean =>
  method !== 'GET' && (role === 'operator' || role === 'admin' || role === 'tenant')

function replyOf(cause: unknown, factory: Factory): Reply {
  const error = asControlError(cause)
  if (error.code === 'internal_error')
    factory.log(`${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}`)
  return { status: controlCatalogue[error.code].status, body: { json: error.body } }
}

function objectOf(body: unknown): Record<string, unknown> {
  if (body === undefined || body === null) return {}
  if (typeof body === 'object' && !Array.isArray(body)) return { ...body }
  throw new ControlError('invalid_json', 'the body is not a JSON object')
}

function find(
  routes: readonly Route[],
  method: string,
  path: string,
): { route: Route; values: Record<string, string> } {
  const here = routes.flatMap((route) => {
    const values = route.match(path)
    return values ? [{ route, values }] : []
  })
  const found = here.find(({ route }) => route.method === (method === 'HEAD' ? 'GET' : method))
  if (found) return found
  if (here.length === 0) throw new ControlError('route_not_found', `there is no ${path.slice(0, 200)}`)
  const allowed = here.map(({ route }) => route.method).join(', ')
  throw new ControlError('method_not_allowed', `${path.slice(0, 200)} takes ${allowed}, not ${method}`)
}

/** JSON in which ledger amounts are decimal strings. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? each.toString() : each))
