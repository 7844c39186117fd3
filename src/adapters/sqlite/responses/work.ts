/** What the main thread gives the thread of kept responses to do, and what comes back. */

export interface Keeping {
  readonly do: 'put'
  readonly tenant: string
  readonly id: string
  readonly created_ms: number
  /** The response that it goes on from. */
  readonly previous: string | undefined
  readonly body: string
  /** What a tenant may hold, in bytes: the oldest of it makes room. */
  readonly most: number
}

export interface Looking {
  readonly do: 'read'
  readonly tenant: string
  /** The end of a conversation: it is read back to its beginning. */
  readonly previous: string | undefined
  readonly ids: readonly string[]
  /** What was kept before this is no longer there. */
  readonly oldest_ms: number
  /** Bytes that may be read for one request. */
  readonly most: number
}

export interface Removing {
  readonly do: 'remove'
  readonly tenant: string
  readonly id: string
  readonly oldest_ms: number
}

export interface Purging {
  readonly do: 'purge'
  readonly oldest_ms: number
}

export type ResponseWork = Keeping | Looking | Removing | Purging

export type Looked =
  | { readonly found: 'all'; readonly turns: readonly string[]; readonly referred: readonly string[] }
  | { readonly found: 'missing'; readonly id: string }
  /** The conversation is longer than one request may bring. */
  | { readonly found: 'large' }

export type ResponseDone =
  | { readonly done: 'put'; readonly kept: boolean }
  | { readonly done: 'read'; readonly looked: Looked }
  | { readonly done: 'remove'; readonly removed: boolean }
  | { readonly done: 'purge'; readonly purged: number }
  | { readonly done: 'failed'; readonly why: string }
