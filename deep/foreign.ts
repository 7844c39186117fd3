import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Made by .ci/run: a virtual environment with what deep/requirements.txt names. */
const python = join(import.meta.dirname, '.venv', 'bin', 'python')

/** Why the tests on a foreign engine cannot run here; false: they can. In CI they must. */
export const without: string | false =
  existsSync(python) || process.env.CI
    ? false
    : 'no foreign engine: python3 -m venv deep/.venv && deep/.venv/bin/pip install -r deep/requirements.txt'

export interface ForeignEngine {
  /** Base of its API, with /v1. */
  readonly url: string
  /** Of the package, whose last part is llama.cpp's build. */
  readonly version: string
  readonly process: ChildProcess
}

/** Starts llama.cpp's server on a GGUF. It ends with this process, which holds its standard input. */
export async function foreignEngine(
  model: string,
  alias: string,
  { context = 4096, kind = 'text' }: { context?: number; kind?: 'text' | 'embeddings' } = {},
): Promise<ForeignEngine> {
  const script = join(import.meta.dirname, 'llama-server.py')
  const child = spawn(python, [script, model, alias, String(context), kind], { stdio: ['pipe', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.on('data', (text: Buffer) => (log = (log + text.toString()).slice(-4000)))
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{')) continue
    const { url, version } = JSON.parse(line) as { url: string; version: string }
    child.stdout.resume()
    return { url: `${url}/v1`, version, process: child }
  }
  throw new Error(`the foreign engine did not start; it said:\n${log}`)
}

/** What the engine counts itself, by the names of its page of metrics. */
export async function counters({ url }: ForeignEngine): Promise<{ uncached: number; cached: number; output: number }> {
  const page = await (await fetch(new URL('/metrics', url))).text()
  const value = (name: string): number => Number(new RegExp(`^llamacpp:${name} (\\S+)$`, 'm').exec(page)?.[1])
  return {
    uncached: value('prompt_tokens_total'),
    cached: value('prompt_tokens_cached_total'),
    output: value('tokens_predicted_total'),
  }
}
