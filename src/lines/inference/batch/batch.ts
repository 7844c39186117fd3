import type { ApplicationId, Id, KeyId, TenantId } from '../../../units/ids.ts'

export type FileId = Id<'file'>
export type BatchId = Id<'batch'>

/** What the lines of a batch may ask for. */
export const batchEndpoints = ['/v1/chat/completions', '/v1/completions', '/v1/embeddings'] as const
export type BatchEndpoint = (typeof batchEndpoints)[number]

/** How a batch can end after it has begun. */
export type BatchEnd = 'completed' | 'expired' | 'cancelled'
export type BatchState = 'validating' | 'in_progress' | 'finalizing' | 'failed' | BatchEnd

/** Why a batch was not begun: a line of its input that is no request, by number. */
export interface LineFault {
  readonly code: string
  readonly message: string
  readonly line: number | null
  readonly param: string | null
}

/** Many requests that nobody waits for: plain data, and all that is kept of it besides its input and its answers. */
export interface Batch {
  readonly id: BatchId
  readonly tenant: TenantId
  readonly application: ApplicationId
  /** Who handed it in: its lines run under the limits and budgets of this key. */
  readonly key: KeyId
  readonly endpoint: BatchEndpoint
  readonly input: FileId
  readonly window: string
  readonly metadata: Readonly<Record<string, string>> | null
  readonly state: BatchState
  readonly created_ms: number
  /** What is not answered by then is not answered. */
  readonly expires_ms: number
  /** When it came into a state. */
  readonly since_ms: Readonly<Partial<Record<BatchState, number>>>
  /** What it will be once its files are there. */
  readonly end: BatchEnd | null
  readonly faults: readonly LineFault[]
  readonly total: number
  readonly completed: number
  readonly failed: number
  readonly output: FileId | null
  readonly errors: FileId | null
}

export type BatchEvent =
  | { readonly kind: 'valid'; readonly total: number }
  | { readonly kind: 'invalid'; readonly faults: readonly LineFault[] }
  | { readonly kind: 'counted'; readonly completed: number; readonly failed: number }
  /** No more lines are answered. The names of its files are said before they are made, so that they are made once. */
  | { readonly kind: 'over'; readonly end: BatchEnd; readonly output: FileId | null; readonly errors: FileId | null }
  | { readonly kind: 'filed' }

/** A batch and what happened to it → the batch. Any event in any state is safe; one that comes twice changes nothing. */
export function batchAfter(batch: Batch, event: BatchEvent, now_ms: number): Batch {
  const to = (state: BatchState, more: Partial<Batch> = {}): Batch => ({
    ...batch,
    ...more,
    state,
    since_ms: { ...batch.since_ms, [state]: now_ms },
  })
  const { state } = batch
  switch (event.kind) {
    case 'valid':
      return state === 'validating' ? to('in_progress', { total: event.total }) : batch
    case 'invalid':
      return state === 'validating' ? to('failed', { faults: event.faults }) : batch
    case 'counted': {
      const same = batch.completed === event.completed && batch.failed === event.failed
      return same || isOver(state) ? batch : { ...batch, completed: event.completed, failed: event.failed }
    }
    case 'over':
      if (state !== 'validating' && state !== 'in_progress') return batch
      return to('finalizing', { end: event.end, output: event.output, errors: event.errors })
    case 'filed':
      return state === 'finalizing' && batch.end ? to(batch.end) : batch
  }
}

/** Nothing will happen to it any more. */
export const isOver = (state: BatchState): boolean =>
  state === 'completed' || state === 'failed' || state === 'expired' || state === 'cancelled'

/** A week: what is wanted later than that is better handed in later. */
const longestWindow_h = 168

/** `24h` in ms; undefined: not a time from an hour to a week. */
export function windowMs(text: unknown): number | undefined {
  const hours = typeof text === 'string' && /^[1-9][0-9]{0,2}h$/.test(text) ? Number(text.slice(0, -1)) : 0
  return hours >= 1 && hours <= longestWindow_h ? hours * 3_600_000 : undefined
}
