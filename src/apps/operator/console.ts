import { existsSync, globSync, readFileSync } from 'node:fs'
import { extname, join, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ControlError } from './errors.ts'
import { Answer } from './router.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * Nothing from elsewhere, nothing inline, in no frame: what is injected has nowhere to run and nowhere to send. Svelte's
 * own templates are the only text that becomes HTML.
 */
const policy = [
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:",
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "require-trusted-types-for 'script'; trusted-types svelte-trusted-html",
].join('; ')

const headers: Readonly<Record<string, string>> = {
  'content-security-policy': policy,
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
}

interface Asset {
  readonly type: string
  readonly plain: Uint8Array
  readonly zipped: Uint8Array
}

/** The files of the console, read once: a closed list, so no path leads anywhere else. */
export class Console {
  readonly #folder: string | undefined
  #assets: ReadonlyMap<string, Asset> | undefined

  constructor(folder: string | undefined) {
    this.#folder = folder
  }

  index(accepted: string | undefined): Answer {
    const page = this.#all().get('index.html')
    if (!page) return notThere
    return answer(page, accepted, 'no-cache')
  }

  /** Named after their content by the build, so that a browser may keep them for ever. */
  asset(name: string, accepted: string | undefined): Answer {
    const found = this.#all().get(`assets/${name}`)
    if (!found) throw new ControlError('route_not_found', `the console has no ${name.slice(0, 60)}`)
    return answer(found, accepted, 'public, max-age=31536000, immutable')
  }

  #all(): ReadonlyMap<string, Asset> {
    if (this.#assets) return this.#assets
    if (this.#folder === undefined || !existsSync(this.#folder)) return new Map() // not built yet: looked for again
    this.#assets = readAll(this.#folder)
    return this.#assets
  }
}

function readAll(folder: string): ReadonlyMap<string, Asset> {
  const names = globSync('{index.html,assets/*}', { cwd: folder })
  return new Map(
    names.map((name) => {
      const plain = readFileSync(join(folder, name))
      const type = types[extname(name)] ?? 'application/octet-stream'
      return [name.split(sep).join('/'), { type, plain, zipped: gzipSync(plain) }]
    }),
  )
}

function answer({ type, plain, zipped }: Asset, accepted: string | undefined, cache: string): Answer {
  const zip = /\bgzip\b/.test(accepted ?? '')
  return new Answer({
    status: 200,
    headers: {
      ...headers,
      'content-type': type,
      'cache-control': cache,
      vary: 'accept-encoding',
      ...(zip && { 'content-encoding': 'gzip' }),
    },
    body: { bytes: zip ? zipped : plain },
  })
}

/** What a browser shows while the console is being built, and where it cannot be. */
const notThere = new Answer({
  status: 503,
  headers: { ...headers, 'content-type': 'text/html; charset=utf-8', refresh: '2' },
  body: {
    text: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Wattmill</title>
<h1>The console is not built yet</h1>
<p>In a clone <code>npm start</code> builds it, which takes some seconds after its sources have changed. This page looks again every two seconds.</p>
<p>If it stays like this, the output of <code>npm start</code> says why. Usually its build tools were left out by <code>npm ci --omit=dev</code>: run <code>npm ci</code> and start again. The published package has the console built in.</p>
<p>The factory works all the same: <code>wattmill status</code>, <code>wattmill doctor</code>, <code>wattmill --help</code>.</p>
</html>
`,
  },
})
