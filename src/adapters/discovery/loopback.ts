import { dial } from '../http/dial.ts'

/** An engine that already runs on this machine. */
export interface FoundEngine {
  readonly kind: 'Ollama' | 'vLLM' | 'llama-server' | 'LM Studio' | 'OpenAI-compatible'
  /** Base URL for `engines add`. */
  readonly url: string
  readonly models: readonly string[]
}

/** Nobody may wait for this: an engine on loopback that needs longer is busy, and can be added by hand. */
const probe_ms = 300
/** A list of models; more is no such list. */
const mostBytes = 1024 * 1024

export interface Ports {
  readonly ollama: number
  readonly vllm: number
  readonly llamaServer: number
  readonly lmStudio: number
}

/** Where each listens unless told otherwise. */
export const usualPorts: Ports = { ollama: 11434, vllm: 8000, llamaServer: 8080, lmStudio: 1234 }

/** Looks for engines at their usual ports of 127.0.0.1, all at once. It only reads, and asks nobody else. */
export async function findEngines(ports: Ports = usualPorts): Promise<FoundEngine[]> {
  const found = await Promise.all([
    findAt(ports.ollama, 'Ollama', '/api/version', (reply) => 'version' in reply),
    findAt(ports.vllm, 'vLLM', '/version', (reply) => 'version' in reply),
    findAt(ports.llamaServer, 'llama-server', '/health', (reply) => 'status' in reply),
    findAt(ports.lmStudio, 'LM Studio', '/v1/models', (reply) => 'data' in reply),
  ])
  return found.filter((engine) => engine !== undefined)
}

/** Its list of models is what makes it an engine; `sign` is what makes it of that kind. */
async function findAt(
  port: number,
  kind: FoundEngine['kind'],
  path: string,
  sign: (reply: object) => boolean,
): Promise<FoundEngine | undefined> {
  const [own, list] = await Promise.all([get(port, path), get(port, '/v1/models')])
  const models = list && modelsOf(list)
  if (!models) return undefined
  return { kind: own && sign(own) ? kind : 'OpenAI-compatible', url: `http://127.0.0.1:${port}/v1`, models }
}

function modelsOf(list: object): string[] | undefined {
  const { data } = list as { data?: unknown }
  if (data === null) return [] // Ollama without models
  if (!Array.isArray(data)) return undefined
  return data.flatMap((model: unknown) => {
    const id = (model as { id?: unknown } | null)?.id
    return typeof id === 'string' ? [id] : []
  })
}

/** The JSON object at a path of loopback; undefined for anything else whatever. */
async function get(port: number, path: string): Promise<object | undefined> {
  const pool = dial(new URL(`http://127.0.0.1:${port}`), { connections: 1, connectMs: probe_ms })
  try {
    const signal = AbortSignal.timeout(probe_ms)
    const { statusCode, body } = await pool.request({ method: 'GET', path, signal })
    const parts: Buffer[] = []
    let size = 0
    for await (const part of body as AsyncIterable<Buffer>) {
      size += part.length
      if (size > mostBytes) return undefined
      parts.push(part)
    }
    return statusCode === 200 ? objectIn(Buffer.concat(parts).toString()) : undefined
  } catch {
    return undefined // nobody there, or nobody we know
  } finally {
    await pool.destroy()
  }
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
