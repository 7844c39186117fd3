import { setTimeout as sleep } from 'node:timers/promises'
import type { HostReport, HostStatus } from '../../adapters/llama/client.ts'
import { connectEngineHost } from '../../adapters/llama/client.ts'

export type Loaded =
  | { readonly ok: true }
  | { readonly ok: false; readonly why: 'down' | 'failed' | 'slow'; readonly message: string }

/** The embedded engine, as the operator uses it: models come and go while it serves. */
export interface EngineHost {
  /** Without a path: a model that it knows. */
  load(model: string, path?: string): Promise<Loaded>
  /** Out of memory when its streams have ended; known on. */
  unload(model: string): Promise<Loaded>
  /** Out of memory at once, and forgotten. */
  remove(model: string): void
  /** Its last word; undefined while it is down. */
  status(): HostStatus | undefined
  close(): void
}

/** Reading 100 GB from a slow disk takes minutes, and so does a long answer; longer than this something hangs. */
const longest_ms = 10 * 60 * 1000
const look_ms = 50

/** `patience_ms`: how long a command waits for a host that starts, or starts again. */
export function engineHost(socketPath: string, patience_ms = 0): EngineHost {
  const waiting = new Map<string, (loaded: Loaded) => void>()
  const settle = (what: string, loaded: Loaded): void => {
    waiting.get(what)?.(loaded)
    waiting.delete(what)
  }
  const client = connectEngineHost(socketPath, (report: HostReport) => {
    if (report.on === 'loaded') settle(`load ${report.model}`, { ok: true })
    if (report.on === 'unloaded') settle(`unload ${report.model}`, { ok: true })
    if (report.on === 'load_failed')
      settle(`load ${report.model}`, { ok: false, why: 'failed', message: report.message })
    if (report.on === 'down')
      for (const what of [...waiting.keys()])
        settle(what, { ok: false, why: 'down', message: 'the embedded engine died meanwhile' })
  })
  /** One command that the host answers; a second one of its kind for the same model takes the place of the first. */
  const ask = async (what: string, command: () => void): Promise<Loaded> => {
    for (const end = performance.now() + patience_ms; !client.status() && performance.now() < end; )
      await sleep(look_ms)
    if (!client.status()) return { ok: false, why: 'down', message: 'the embedded engine does not answer' }
    settle(what, { ok: false, why: 'failed', message: 'another command for this model came meanwhile' })
    return new Promise((resolve) => {
      const slow = { ok: false, why: 'slow', message: 'it took longer than ten minutes' } as const
      const timer = setTimeout(() => settle(what, slow), longest_ms)
      waiting.set(what, (loaded) => {
        clearTimeout(timer)
        resolve(loaded)
      })
      command()
    })
  }

  return {
    load: (model, path) => ask(`load ${model}`, () => client.load(model, path)),
    unload: (model) => ask(`unload ${model}`, () => client.unload(model)),
    remove: (model) => client.remove(model),
    status: () => client.status(),
    close: () => client.close(),
  }
}
