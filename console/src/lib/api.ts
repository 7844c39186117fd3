/** The way to the operator: by the session's cookie, over the port of the gateway that served this page. */

/** The session is over, or was never begun. */
export class LoggedOut extends Error {
  override readonly name = 'LoggedOut'
}

/** Nobody answers: the operator (the gateway says so) or the whole factory. */
export class Gone extends Error {
  override readonly name = 'Gone'
  readonly who: 'operator' | 'factory'

  constructor(who: 'operator' | 'factory') {
    super(who === 'operator' ? 'the operator does not answer' : 'the factory does not answer')
    this.who = who
  }
}

/** The operator said no, and why, and what to do next. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly code: string
  readonly param: string | undefined
  readonly next: string

  constructor({ code, message, param, next }: { code: string; message: string; param?: string; next?: string }) {
    super(message)
    this.code = code
    this.param = param
    this.next = next ?? ''
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** Longer than the longest that the operator takes for a change to reach every gateway. */
const patience_ms = 15_000

export async function ask<T>(method: Method, path: string, body?: unknown, patience = patience_ms): Promise<T> {
  const reply = await fetch(path, {
    method,
    headers: { 'x-wattmill': '1', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body: body === undefined ? null : JSON.stringify(body),
    signal: AbortSignal.timeout(patience),
  }).catch(() => {
    throw new Gone('factory')
  })
  const value = (await reply.json().catch(() => undefined)) as { error?: ConstructorParameters<typeof Refused>[0] }
  if (reply.ok) return value as T
  const error = value?.error ?? { code: `http_${reply.status}`, message: `HTTP ${reply.status}` }
  if (error.code === 'operator_unavailable') throw new Gone('operator')
  if (reply.status === 401 && path !== '/api/login') throw new LoggedOut('the session is over')
  throw new Refused(error)
}

/** A path with a query; names without a value are left out. */
export function query(path: string, values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return search === '' ? path : `${path}?${search}`
}
