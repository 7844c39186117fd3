import { readFileSync } from 'node:fs'
import { anthropicVersion } from '../../adapters/anthropic/upstream-request.ts'
import { dial, ForbiddenAddress } from '../../adapters/http/dial.ts'
import type { Preset } from '../../adapters/openai/presets/preset.ts'
import { keyHeader } from '../../adapters/openai/presets/quirks.ts'
import { ControlError } from './errors.ts'

/** What an API says of itself. */
export interface Probed {
  /** Base URL that answered, ending before `/chat/completions` or `/messages`. */
  readonly url: string
  readonly models: readonly string[]
  /** Tokens that a model's context holds, of those that its list tells of. */
  readonly contexts: ReadonlyMap<string, number>
  readonly took_ms: number
}

/** Long enough for a hosted API on another continent. */
const probe_ms = 10_000
/** A list of models is some kilobytes; hosted catalogues reach one megabyte. */
const mostBytes = 4 * 1024 * 1024

/** How the list of models is asked for. Anthropic gives it in pages, and wants to hear which version of its API is spoken. */
const listings: Readonly<Record<Preset['api'], { headers: Record<string, string>; query: string }>> = {
  openai: { headers: {}, query: '' },
  anthropic: { headers: { 'anthropic-version': anthropicVersion }, query: '?limit=1000' },
}

/** Asks GET {url}/models; where that is not found, {url}/v1/models, since people leave the /v1 out. */
export async function probe(
  given: string,
  keyFrom: string | null,
  preset: Pick<Preset, 'api' | 'key' | 'lists'>,
): Promise<Probed> {
  const base = checkUrl(given)
  const { headers: own, query } = listings[preset.api]
  const key = keyHeader(preset.key, keyFrom === null ? undefined : secretFrom(keyFrom))
  const headers = { accept: 'application/json', ...own, ...key }
  const began = performance.now()
  const plain = await ask(base, headers, query)
  const [url, reply] =
    plain.status === 404 && !/\/v\d+$/.test(base)
      ? [`${base}/v1`, await ask(`${base}/v1`, headers, query)]
      : [base, plain]
  const listed = modelsIn(url, reply)
  return {
    url,
    models: listed.map(({ id }) => id),
    contexts: new Map(listed.flatMap(({ id, context }) => (context === undefined ? [] : [[id, context] as const]))),
    took_ms: Math.round(performance.now() - began),
  }
}

/** An http(s) URL without credentials, query or a slash at its end. */
export function checkUrl(given: string): string {
  const url = URL.parse(given)
  const wrong = !url
    ? 'is no URL'
    : !/^https?:$/.test(url.protocol)
      ? 'is neither http nor https'
      : url.username || url.password
        ? 'holds a password: use --key-from'
        : url.search || url.hash
          ? 'has a query'
          : undefined
  if (!url || wrong)
    throw new ControlError('invalid_value', `the URL ${wrong}`, {
      param: 'url',
      next: 'Use a base such as http://127.0.0.1:8000/v1',
    })
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/(chat\/completions|completions|messages|models)$/, '')}`
}

/** env:NAME or file:PATH → the secret. Only the reference is stored, so a secret that is rotated there is rotated here. */
export function secretFrom(reference: string): string {
  const [, kind, where = ''] = /^(env|file):(.+)$/.exec(reference) ?? []
  if (!kind)
    throw new ControlError('invalid_value', 'the key is given as env:NAME or file:PATH, never itself', {
      param: 'key_from',
    })
  const secret = kind === 'env' ? process.env[where] : readSecretFile(where)
  if (!secret?.trim())
    throw new ControlError(
      'invalid_value',
      `${reference} is ${kind === 'env' ? 'not set where the factory runs' : 'empty'}`,
      { param: 'key_from' },
    )
  return secret.trim()
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ControlError('invalid_value', `file:${path} cannot be read`, { param: 'key_from', cause })
  }
}

interface Heard {
  readonly status: number
  readonly text: string
}

async function ask(base: string, headers: Record<string, string>, query: string): Promise<Heard> {
  const url = new URL(`${base}/models`)
  const path = url.pathname + query
  const pool = dial(url, { connections: 1, connectMs: probe_ms })
  try {
    const signal = AbortSignal.timeout(probe_ms)
    const reply = await pool.request({ method: 'GET', path, headers, signal })
    return { status: reply.statusCode, text: await bounded(reply.body) }
  } catch (cause) {
    if (cause instanceof ControlError) throw cause
    if (cause instanceof ForbiddenAddress)
      throw new ControlError('engine_unreachable', cause.message, { param: 'url', cause })
    const { code, name } = cause as { code?: string; name?: string }
    const why =
      name === 'TimeoutError' ? `did not answer within ${probe_ms / 1000} s` : `does not answer (${code ?? name})`
    throw new ControlError('engine_unreachable', `${base} ${why}`, { param: 'url', cause })
  } finally {
    await pool.destroy()
  }
}

async function bounded(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > mostBytes)
      throw new ControlError('engine_bad_reply', 'the list of models is larger than 4 MiB', { param: 'url' })
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

/** vLLM and SGLang; Groq; OpenRouter; Mistral. What a model was trained for, as llama-server tells, is not what is served. */
const contextFields = ['max_model_len', 'context_window', 'context_length', 'max_context_length']

type Model = Readonly<Record<string, unknown>>
interface Listed {
  readonly id: string
  readonly context: number | undefined
}

function contextIn(model: Model): number | undefined {
  const told = contextFields.map((field) => model[field]).find((value) => value !== undefined && value !== null)
  return Number.isSafeInteger(told) && Number(told) > 0 ? Number(told) : undefined
}

function modelsIn(url: string, { status, text }: Heard): Listed[] {
  if (status === 401 || status === 403)
    throw new ControlError('engine_bad_reply', `${url} wants another key (${status})`, {
      param: 'key_from',
      next: 'Name it with --key-from env:NAME or --key-from file:PATH',
    })
  if (status !== 200) throw new ControlError('engine_bad_reply', `${url}/models answered ${status}`, { param: 'url' })
  try {
    const value = JSON.parse(text) as Model[] | { data: Model[] }
    // Some leave out the object around the list.
    return (Array.isArray(value) ? value : value.data)
      .map((model) => ({ id: String(model.id), context: contextIn(model) }))
      .filter(({ id }) => id.length > 0 && id.length <= 200)
  } catch (cause) {
    throw new ControlError('engine_bad_reply', `${url}/models answered something else than a list of models`, {
      param: 'url',
      cause,
    })
  }
}
