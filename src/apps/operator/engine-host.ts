import type { HostReport, HostStatus } from '../../adapters/llama/client.ts'
import { connectEngineHost } from '../../adapters/llama/client.ts'

export type Loaded =
  | { readonly ok: true }
  | { readonly ok: false; readonly why: 'down' | 'failed' | 'slow'; readonly message: string }

/** The embedded engine, as the operator uses it: models come and go while it serves. */
export interface EngineHost {
  load(model: string, path: string): Promise<Loaded>
  unload(model: string): void
  /** Its last word; undefined while it is down. */
  status(): HostStatus | undefined
  close(): void
}

/** Reading 100 GB from a slow disk takes minutes; longer than this something hangs. */
const longestLoad_ms = 10 * 60 * 1000

export function engineHost(socketPath: string): EngineHost {
  const waiting = new Map<string, (loaded: Loaded) => void>()
  const settle = (model: string, loaded: Loaded): void => {
    waiting.get(model)?.(loaded)
    waiting.delete(model)
  }
  const client = connectEngineHost(socketPath, (report: HostReport) => {
    if (report.on === 'loaded') settle(report.model, { ok: true })
    if (report.on === 'load_failed') settle(report.model, { ok: false, why: 'failed', message: report.message })
    if (report.on === 'down')
      for (const model of [...waiting.keys()])
        settle(model, { ok: false, why: 'down', message: 'the embedded engine died while it loaded the model' })
  })

  return {
    load(model, path) {
      if (!client.status())
        return Promise.resolve({ ok: false, why: 'down', message: 'the embedded engine does not answer' })
      return new Promise((resolve) => {
        const slow = { ok: false, why: 'slow', message: 'loading took longer than ten minutes' } as const
        const timer = setTimeout(() => settle(model, slow), longestLoad_ms)
        waiting.set(model, (loaded) => {
          clearTimeout(timer)
          resolve(loaded)
        })
        client.load(model, path)
      })
    },
    unload: (model) => client.unload(model),
    status: () => client.status(),
    close: () => client.close(),
  }
}
