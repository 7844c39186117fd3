import { ask, Gone, LoggedOut, type Method } from './api.ts'

/** What the whole console knows of its connection: nobody logged in, all well, or who is gone since when. */
export const session = $state({
  state: 'unknown' as 'unknown' | 'out' | 'in',
  gone: undefined as undefined | { readonly who: 'operator' | 'factory'; readonly since: number },
  /** When the operator answered last. */
  heard: 0,
})

/** Every answer passes here, so that one place knows how things stand. */
export function heard(): void {
  session.state = 'in'
  session.gone = undefined
  session.heard = Date.now()
}

export function failed(cause: unknown): void {
  if (cause instanceof LoggedOut) {
    session.state = 'out'
    session.gone = undefined
  }
  if (cause instanceof Gone) session.gone = { who: cause.who, since: session.gone?.since ?? Date.now() }
}

/** A change, or a question that is asked once. */
export async function tell<T>(method: Method, path: string, body?: unknown): Promise<T> {
  try {
    const answer = await ask<T>(method, path, body)
    heard()
    return answer
  } catch (cause) {
    failed(cause)
    throw cause
  }
}

export async function login(key: string): Promise<void> {
  await ask('POST', '/api/login', { key })
  heard()
}

export async function logout(): Promise<void> {
  await ask('POST', '/api/logout', {}).catch(() => undefined)
  session.state = 'out'
}
