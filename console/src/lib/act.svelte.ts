import { Gone, Refused } from './api.ts'

/** What went wrong with a deed, in words for people. */
export interface Wrong {
  readonly message: string
  readonly next: string
  readonly param: string | undefined
}

/** A deed: under way, done or refused. One at a time. */
export class Act {
  busy = $state(false)
  wrong = $state.raw<Wrong | undefined>(undefined)

  /** True when it came through. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false
    this.busy = true
    this.wrong = undefined
    try {
      await work()
      return true
    } catch (cause) {
      this.wrong = wrongOf(cause)
      return false
    } finally {
      this.busy = false
    }
  }
}

export function wrongOf(cause: unknown): Wrong {
  if (cause instanceof Refused) return { message: cause.message, next: cause.next, param: cause.param }
  const message = cause instanceof Error ? cause.message : String(cause)
  return {
    message,
    next: cause instanceof Gone ? 'Nothing was changed as far as this page knows; look again.' : '',
    param: undefined,
  }
}
