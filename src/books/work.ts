import type { StepWork } from '../plant/energy/step-energy.ts'
import { noWork, plusWork } from '../plant/energy/step-energy.ts'
import type { SequenceStep, StepReport } from '../plant/infrastructure/step.ts'
import { workOfSequence } from '../plant/infrastructure/step-work.ts'
import type { AttemptId, Incarnation, ReplicaId, RequestId } from '../units/ids.ts'
import { gatewayOf, requestOf } from '../units/ids.ts'
import type { EngineWork } from './settle.ts'

/** What an engine's log says that bears on the books; other lines say nothing about work. */
export type WorkLine =
  | {
      readonly log: 'begin'
      readonly at_ms: number
      readonly id: string
      readonly model: string
      readonly input_uncached: number
      readonly cache_read: number
      /** The prompt's tokens are in the steps that evaluated them; absent: they are counted where it began. */
      readonly prompt_in_steps?: true
    }
  | StepLine
  | {
      readonly log: 'end'
      readonly at_ms: number
      readonly id: string
      readonly count: { readonly input_uncached: number; readonly cache_read: number; readonly output: number }
    }
  | { readonly log: 'host' | 'close'; readonly at_ms: number }

/** [attempt, tokens sampled, prompt tokens evaluated, tokens in its KV cache before]; older logs have the first two. */
export type Made = readonly [string, number] | readonly [string, number, number, number]

/** One step of one model's batch, with a row for each stream in it: a `StepReport`, kept short because there is one a step. */
export interface StepLine {
  readonly log: 'step'
  readonly at_ms: number
  readonly took_us: number
  /** CPU time of the engine's process in the step; what another model computed at the same time is in it. */
  readonly cpu_us?: number
  readonly model?: string
  readonly made: readonly Made[]
}

/** A report as a line of a log. */
export const lineOfStep = ({ model, at_ms, took_us, cpu_us, sequences }: StepReport): StepLine => ({
  log: 'step',
  at_ms,
  took_us,
  ...(cpu_us === null ? {} : { cpu_us }),
  model,
  made: sequences.map(({ attempt, decode, prefill, context }) => [attempt, decode, prefill, context] as const),
})

/** A line as the report it was; undefined for one of an older log, which knows only what was sampled. */
export function stepOfLine({ model, at_ms, took_us, cpu_us, made }: StepLine): StepReport | undefined {
  if (model === undefined) return undefined
  const sequences = made.map(
    ([attempt, decode, prefill = 0, context = 0]): SequenceStep => ({
      attempt: attempt as AttemptId,
      decode,
      prefill,
      context,
    }),
  )
  return { model, at_ms, took_us, cpu_us: cpu_us ?? null, sequences }
}

/** What some lines say of one attempt: `output` adds to what was known, unless they are its last and `final`. */
export interface Heard {
  readonly attempt: AttemptId
  readonly request: RequestId
  model: string
  input_uncached: number
  cache_read: number
  output: number
  last_ms: number
  begun: boolean
  final: boolean
}

/** What an attempt made the engine do in one second: its share of that second's energy. */
export interface Second {
  readonly second: number
  readonly attempt: string
  /** Prompt tokens evaluated and tokens sampled. */
  tokens: number
  /** The same by what it costs; nothing where an older log does not say. */
  work: StepWork
  /** Its equal share of the CPU time of its steps; 0 where it is not in the log. */
  cpu_us: number
}

/**
 * Lines of an engine's log → work by attempt and by second, each step in the second in which it ended.
 *
 * An attempt that ended before it began (cancelled in the queue) is there with zeros. Older logs have no line per piece of a
 * prompt: there the prompt counts in the second it began, so a long one is dated up to its length too early. A clock that
 * was set back dates work into seconds whose energy is attributed already: it counts from `openFrom` on, the first that is not.
 */
export function workOfLines(
  lines: Iterable<WorkLine>,
  openFrom = 0,
): { attempts: Map<string, Heard>; seconds: Map<string, Second> } {
  const attempts = new Map<string, Heard>()
  const seconds = new Map<string, Second>()
  const hear = (name: string, at_ms: number): Heard => {
    const heard = attempts.get(name) ?? unheard(name)
    attempts.set(name, heard)
    heard.last_ms = Math.max(heard.last_ms, at_ms)
    return heard
  }
  const add = (attempt: string, at_ms: number, tokens: number, work: StepWork, cpu_us: number): void => {
    if (tokens === 0 && work.step_e9 === 0) return
    const second = Math.max(openFrom, Math.floor(at_ms / 1000))
    const key = `${second} ${attempt}`
    const known = seconds.get(key)
    if (!known) return void seconds.set(key, { second, attempt, tokens, work, cpu_us })
    known.tokens += tokens
    known.work = plusWork(known.work, work)
    known.cpu_us += cpu_us
  }
  for (const line of lines) {
    if (line.log === 'begin') {
      const { model, input_uncached, cache_read } = line
      Object.assign(hear(line.id, line.at_ms), { model, input_uncached, cache_read, begun: true })
      if (!line.prompt_in_steps) add(line.id, line.at_ms, input_uncached, noWork, 0)
    }
    if (line.log === 'step') {
      const cpu_us = Math.round((line.cpu_us ?? 0) / Math.max(1, line.made.length))
      for (const made of line.made) {
        const [name, decode, prefill = 0] = made
        hear(name, line.at_ms).output += decode
        add(name, line.at_ms, prefill + decode, workOfMade(made, line.made.length), cpu_us)
      }
    }
    if (line.log === 'end') Object.assign(hear(line.id, line.at_ms), { ...line.count, final: true })
  }
  return { attempts, seconds }
}

const workOfMade = ([, decode, prefill, context]: Made, batch: number): StepWork =>
  prefill === undefined || context === undefined ? noWork : workOfSequence({ prefill, decode, context }, batch)

const unheard = (name: string): Heard => ({
  attempt: name as AttemptId,
  request: name.includes('/') ? requestOf(name as AttemptId) : (name as RequestId),
  model: '',
  input_uncached: 0,
  cache_read: 0,
  output: 0,
  last_ms: 0,
  begun: false,
  final: false,
})

/** All that is known of an attempt from the engines' logs. */
export interface EngineAttempt extends EngineWork {
  readonly request: RequestId
  /** The gateway that its name says asked for it. */
  readonly gateway: Incarnation
  /** The engine's incarnation. */
  readonly incarnation: string
  /** Compared with its settled request, or booked as foreign. */
  readonly reconciled: boolean
}

/**
 * What is known of an attempt after some more lines. Counts of a step are added, those of an end replace them: the engine's
 * last word is its count. Undefined: the lines change nothing, since it is final or belongs to another incarnation.
 */
export function heardMore(
  known: EngineAttempt | undefined,
  heard: Heard,
  incarnation: string,
  replica: ReplicaId,
): EngineAttempt | undefined {
  if (known && (known.final || known.incarnation !== incarnation)) return undefined
  const told = heard.final || heard.begun || !known
  return {
    attempt: heard.attempt,
    request: heard.request,
    gateway: gatewayOf(heard.request),
    incarnation,
    replica: known?.replica ?? replica,
    model: known?.model || heard.model,
    input_uncached: told ? heard.input_uncached : known.input_uncached,
    cache_read: told ? heard.cache_read : known.cache_read,
    output: heard.final ? heard.output : (known?.output ?? 0) + heard.output,
    last_ms: Math.max(known?.last_ms ?? 0, heard.last_ms),
    final: heard.final,
    reconciled: known?.reconciled ?? false,
  }
}
