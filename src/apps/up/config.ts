import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { ControlError } from '../operator/errors.ts'
import { didYouMean } from '../operator/nearest.ts'
import { type Config, configFrom, type Setting, type SettingPath, settings, unfit, type Value } from './settings.ts'

const usualFile = 'wattmill.yaml'

/** What the command line says, which outranks the file. */
export interface Flags {
  readonly port?: number
  readonly host?: string
  readonly gateways?: number
  readonly 'tls.cert'?: string
  readonly 'tls.key'?: string
  readonly trusted_proxies?: readonly string[]
}

/** The settings: flags over file over what is usual. A file that was named must be there; the usual one may be. */
export function readConfig(file: string | undefined, flags: Flags): Config {
  const path = file ?? (existsSync(usualFile) ? usualFile : undefined)
  const given = path === undefined ? new Map<string, Value>() : withFiles(parseConfig(readFile(path), path), path)
  for (const [name, value] of Object.entries(flags)) if (value !== undefined) given.set(name, value)
  for (const [name, value] of given) {
    const wrong = unfit(settings[name as SettingPath], value)
    if (wrong) throw new ControlError('invalid_value', `${name} ${wrong}`, { param: name, next: `wattmill up --help` })
  }
  const config = configFrom(given)
  const half = (['tls.cert', 'tls.key'] as const).find((name) => !given.get(name))
  if (half && !config.certificate && (given.get('tls.cert') || given.get('tls.key')))
    throw new ControlError('bad_config', `${half} is missing: a certificate and its key go together`, { param: half })
  if (config.power.idleWatts > config.power.fullWatts)
    throw new ControlError(
      'bad_config',
      `power.idle_watts (${config.power.idleWatts}) is more than power.full_watts (${config.power.fullWatts})`,
      { param: 'power.idle_watts' },
    )
  return config
}

/** A file is named from where it is named. */
function withFiles(values: Map<string, Value>, file: string): Map<string, Value> {
  for (const [name, value] of values)
    if (settings[name as SettingPath].kind === 'file' && value) values.set(name, resolve(dirname(file), String(value)))
  return values
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ControlError('bad_config', `${path} cannot be read (${(cause as { code?: string }).code})`, { cause })
  }
}

/** YAML → values by path; the first mistake is told with its line and column. */
export function parseConfig(text: string, file: string): Map<string, Value> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [broken] = document.errors
  if (broken) throw bad(`${at(broken.pos[0])}: ${broken.message}`)
  const values = new Map<string, Value>()
  if (document.contents !== null) collect(document.contents, '', values, (node) => at((node as Node).range?.[0] ?? 0))
  return values
}

function collect(node: unknown, path: string, values: Map<string, Value>, at: (node: unknown) => string): void {
  if (!isMap(node)) {
    const what = path === '' ? 'the file' : path
    throw bad(`${at(node)}: ${what} holds settings such as "${childrenOf(path)[0]}: …"`, path)
  }
  for (const { key, value } of node.items) {
    const name = String(isScalar(key) ? key.value : key)
    const full = path === '' ? name : `${path}.${name}`
    const setting: Setting | undefined = Object.hasOwn(settings, full) ? settings[full as SettingPath] : undefined
    if (setting) {
      const held = isScalar(value) ? value.value : isSeq(value) ? value.toJSON() : undefined
      const wrong = unfit(setting, held)
      if (wrong) throw bad(`${at(value ?? key)}: ${full} ${wrong}`, full)
      values.set(full, held as Value)
    } else if (childrenOf(full).length > 0) collect(value ?? key, full, values, at)
    else throw bad(`${at(key)}: unknown setting ${full}${didYouMean(name, childrenOf(path))}`, full)
  }
}

/** Names that may stand directly under a path. */
const childrenOf = (path: string): string[] => {
  const prefix = path === '' ? '' : `${path}.`
  const below = Object.keys(settings).filter((each) => each.startsWith(prefix))
  return [...new Set(below.map((each) => each.slice(prefix.length).split('.')[0] ?? ''))]
}

const bad = (message: string, param?: string): ControlError => new ControlError('bad_config', message, { param })
