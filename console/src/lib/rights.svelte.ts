import { ask } from './api.ts'

/** Who is logged in, and the routes that the operator says this one may call: the console keeps no table of its own. */
export const rights = $state({ name: '', role: '', may: [] as readonly string[] })

interface Told {
  readonly name: string
  readonly role: string
  readonly may: readonly string[]
}

/** Asked at the beginning of each session; until it is answered nothing may be changed. */
export async function learnRights(): Promise<void> {
  Object.assign(rights, await ask<Told>('GET', '/api/whoami'))
}

/** Such as `POST /api/keys`. */
export const may = (deed: string): boolean => rights.may.includes(deed)
