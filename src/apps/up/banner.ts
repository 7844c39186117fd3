import { extname, relative } from 'node:path'
import type { FoundFile } from '../../adapters/discovery/files.ts'
import type { FoundEngine } from '../../adapters/discovery/loopback.ts'
import type { Home } from '../../adapters/files/home.ts'

/** How people call us: through npx in a clone, by name when installed. */
export const self = extname(import.meta.filename) === '.ts' ? 'npx wattmill' : 'wattmill'

export interface Standing {
  readonly home: Home
  readonly url: string
  readonly models: readonly string[]
  /** Shown once, at the first start. */
  readonly key: string | undefined
  /** The embedded engine has answered. */
  readonly engine: boolean
  /** Why the console cannot be shown; undefined: it can. */
  readonly console: string | undefined
}

/** What a person needs once the factory stands. */
export function banner({ home, url, models, key, engine, console }: Standing): string[] {
  const model = models.includes('starter') ? 'starter' : models[0]
  const call = command(home)
  return [
    '',
    'Wattmill is up.',
    '',
    `  console    ${url}/`,
    ...(console === undefined ? [] : [`             is missing: ${console}`]),
    `  API base   ${url}/v1`,
    `  admin key  ${shown(home.adminKey)}`,
    ...(engine ? [] : ['  engine     the embedded engine is still starting, or has failed; see wattmill status']),
    '',
    ...(key ? [] : [`  A key for your program:`, `    ${call} keys create --tenant default`, '']),
    ...(model
      ? [
          ...(key ? ['  Try it (this key is shown only now):'] : ['  Try it:']),
          `    ${curl(url, model, key ?? '$WATTMILL_KEY')}`,
        ]
      : ['  No model yet. Add one:', `    ${call} models add FILE.gguf`]),
    ...(model === 'starter'
      ? ['  starter is a specialist: a bank customer’s message in, one of 77 intents out. It does not chat.']
      : []),
    '',
  ]
}

const curl = (url: string, model: string, key: string): string =>
  `curl ${url}/v1/chat/completions -H "authorization: Bearer ${key}" -H 'content-type: application/json' ` +
  `-d '${JSON.stringify({ model, messages: [{ role: 'user', content: 'I lost my card, what now?' }] })}'`

/** What was found on this machine, and one command to adopt each. */
export function discovered(engines: readonly FoundEngine[], files: readonly FoundFile[], home: Home): string[] {
  const call = command(home)
  const lines = [
    ...engines.map((engine) =>
      engine.models.length > 0
        ? [
            `  ${engine.kind} serves ${listed(engine.models)}`,
            `    ${call} engines add ${nameFor(engine)} --url ${engine.url}`,
          ]
        : [`  ${engine.kind} runs at ${engine.url}, without a model yet`],
    ),
    ...files.map((file) => [`  ${sized(file.bytes)}  ${file.path}`, `    ${call} models add ${quoted(file.path)}`]),
  ].flat()
  return lines.length > 0 ? ['On this machine there is also (nothing was changed):', ...lines, ''] : []
}

const command = (home: Home): string => {
  const place = shown(home.root)
  return place === '.wattmill' ? self : `${self} --home ${quoted(place)}`
}

const nameFor = (engine: FoundEngine): string => engine.kind.toLowerCase().replace(/[^a-z]+/g, '-')

const listed = (models: readonly string[]): string =>
  models.slice(0, 3).join(', ') + (models.length > 3 ? ` and ${models.length - 3} more` : '')

const sized = (bytes: number): string =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`

const quoted = (path: string): string => (/^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)

/** Short where it lies below the current folder. */
function shown(path: string): string {
  const near = relative(process.cwd(), path)
  return near !== '' && !near.startsWith('..') ? near : path
}
