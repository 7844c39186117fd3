/** The engine's arguments, read once and bounded. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

export interface EngineSettings {
  readonly kind: 'settings'
  readonly home: string
  readonly socket: string
  readonly slots: number
  readonly threads: number
  readonly context: number
  readonly batch: number
  readonly queue: number
  /** 0: a share of what the machine has. */
  readonly memory_mib: number
  readonly gpu: 'auto' | false
  readonly models: readonly { readonly name: string; readonly path: string }[]
}

export const USAGE =
  'usage: engine --home DIR --socket PATH [--model NAME=FILE.gguf]… [--slots N] [--threads N] [--context N] [--batch N] [--queue N] [--memory-mib N] [--gpu auto|off]'

export function engineSettings(
  args: readonly string[],
  cores = availableParallelism(),
): EngineSettings | { readonly kind: 'refused'; readonly message: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        home: { type: 'string' },
        socket: { type: 'string' },
        model: { type: 'string', multiple: true, default: [] },
        slots: { type: 'string' },
        threads: { type: 'string' },
        context: { type: 'string' },
        batch: { type: 'string' },
        queue: { type: 'string' },
        'memory-mib': { type: 'string' },
        gpu: { type: 'string', default: 'auto' },
      },
    })
    if (!values.home || !values.socket) throw new Error('--home and --socket are needed')
    if (values.gpu !== 'auto' && values.gpu !== 'off') throw new Error('--gpu is auto or off')
    const slots = count('slots', values.slots, 4, 1, 64) // each costs a context of KV cache
    return {
      kind: 'settings',
      home: values.home,
      socket: values.socket,
      slots,
      // One core is left for this process's own loop and the gateway: ggml spins on the others.
      threads: count('threads', values.threads, Math.max(1, cores - 1), 1, 1024),
      context: count('context', values.context, 4096, 64, 10_000_000),
      // Tokens in one step: what llama.cpp's own server takes, and no decode waits longer than one such batch.
      batch: count('batch', values.batch, 512, slots, 16_384),
      queue: count('queue', values.queue, 256, 0, 100_000),
      memory_mib: count('memory-mib', values['memory-mib'], 0, 0, 100_000_000),
      gpu: values.gpu === 'auto' ? 'auto' : false,
      models: values.model.map(model),
    }
  } catch (error) {
    return { kind: 'refused', message: error instanceof Error ? error.message : String(error) }
  }
}

function count(name: string, text: string | undefined, otherwise: number, min: number, max: number): number {
  if (text === undefined) return Math.max(min, otherwise)
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max)
    throw new Error(`--${name} is a whole number from ${min} to ${max}, not ${text}`)
  return value
}

function model(text: string): { name: string; path: string } {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1) throw new Error(`--model is NAME=FILE.gguf, not ${text}`)
  return { name: text.slice(0, at), path: text.slice(at + 1) }
}
