import { globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { addUp } from '../bench/audit/engine.ts'
import { readEngineLogs } from '../bench/audit/read.ts'
import type { EngineCount } from '../bench/audit/records.ts'
import type { Factory } from '../bench/load/factory.ts'

export async function createKey(factory: Factory): Promise<string> {
  const made = await factory.cli('keys', 'create', '--tenant', 't', '--app', 'a', '-o', 'json')
  return (JSON.parse(made) as { key: string }).key
}

/** Stops it and removes its home. */
export async function discard(factory: Factory | undefined): Promise<void> {
  await factory?.stop()
  if (factory) rmSync(factory.home, { recursive: true, force: true })
}

/** What the engine's own log says of a request that was served at the first attempt. */
export function engineCount(factory: Factory, request: string): EngineCount {
  const { attempts } = addUp(readEngineLogs(factory.home))
  const attempt = attempts.get(`${request}/1`)
  if (!attempt) throw new Error(`the engine's log does not know ${request}/1`)
  return attempt.count
}

export function starterFile(): string {
  const folder = join(import.meta.dirname, '..', 'models', 'starter')
  const [name] = globSync('*.gguf', { cwd: folder })
  if (!name) throw new Error(`no model file in ${folder}`)
  return join(folder, name)
}
