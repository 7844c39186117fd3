import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { clock } from '../../adapters/clock/clock.ts'
import { home as homeAt } from '../../adapters/files/home.ts'
import type { ModelFile } from '../../adapters/sqlite/registry/models.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { type Factory, readPepper } from './factory.ts'
import { sha256Of } from './model-file.ts'
import { mustStand } from './place-store.ts'

export interface OpenFactory {
  readonly factory: Factory
  close(): void
}

/** A factory that does not run, for one command. Nothing is made: a slip in --home must not leave a second factory. */
export function openStopped(directory: string, log: (line: string) => void): OpenFactory {
  const home = homeAt(directory)
  mustStand(home)
  const store = openStore(home)
  try {
    const factory: Factory = {
      home,
      store,
      pepper: readPepper(home, store),
      prometheus: undefined,
      live: undefined,
      now: clock.ms,
      log,
    }
    return { factory, close: () => store.close() }
  } catch (cause) {
    store.close()
    throw cause
  }
}

/** Beside `src` in a clone and beside `dist` in a package. */
const starterPath = fileURLToPath(new URL('../../../models/starter/starter.gguf', import.meta.url))

/** The model that comes with Wattmill, when its file is there. */
export async function starterFile(now_ms: number, path = starterPath): Promise<ModelFile | undefined> {
  const file = statSync(path, { throwIfNoEntry: false })
  if (!file) return undefined
  return { name: 'starter', path, sha256: await sha256Of(path), bytes: file.size, created_ms: now_ms }
}
