import { untrack } from 'svelte'
import { ask, LoggedOut } from './api.ts'
import { failed, heard } from './session.svelte.ts'

/** How often a page that nobody looks at asks. */
const hidden_ms = 30_000
/** How often it is tried again while nobody answers. */
const retry_ms = 1_000

/**
 * An answer that is asked for again and again while its page is open. The last good one stays when a later one fails, with
 * its age; what changes is told at once by `again`.
 */
export class Live<T> {
  value = $state.raw<T | undefined>(undefined)
  error = $state.raw<Error | undefined>(undefined)
  /** When `value` came. */
  at = $state(0)
  #path: () => string
  #every_ms: (value: T) => number
  #turn = 0
  /** The path that `value` is the answer to. */
  #held = ''
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Begins and ends with the component that makes it; a path that changes is asked at once, an empty one not at all. */
  constructor(path: () => string, every_ms: number | ((value: T) => number) = 2_000) {
    this.#path = path
    this.#every_ms = typeof every_ms === 'number' ? () => every_ms : every_ms
    $effect(() => {
      const asked = this.#path()
      this.value = asked === this.#held ? untrack(() => this.value) : undefined
      this.error = undefined
      this.#held = asked
      if (asked !== '') untrack(() => void this.#loop(asked, ++this.#turn))
      const shown = (): void => {
        if (!document.hidden) this.again()
      }
      document.addEventListener('visibilitychange', shown)
      return () => {
        document.removeEventListener('visibilitychange', shown)
        this.#turn++
        clearTimeout(this.#timer)
      }
    })
  }

  again(): void {
    clearTimeout(this.#timer)
    const path = this.#path()
    if (path !== '') void this.#loop(path, ++this.#turn)
  }

  async #loop(path: string, turn: number): Promise<void> {
    let next_ms = retry_ms
    try {
      const value = await ask<T>('GET', path)
      // One that nobody waits for any more says nothing: after a log-out it would bring the console back.
      if (turn !== this.#turn) return
      heard()
      this.value = value
      this.error = undefined
      this.at = Date.now()
      next_ms = this.#every_ms(value)
    } catch (cause) {
      if (turn !== this.#turn) return
      failed(cause)
      if (cause instanceof LoggedOut) return
      this.error = cause instanceof Error ? cause : new Error(String(cause))
    }
    this.#timer = setTimeout(() => void this.#loop(path, turn), document.hidden ? hidden_ms : next_ms)
  }
}

/** The time, once a second, for ages. */
export const clock = $state({ now: Date.now() })
setInterval(() => {
  if (!document.hidden) clock.now = Date.now()
}, 1000)
document.addEventListener('visibilitychange', () => {
  clock.now = Date.now()
})
