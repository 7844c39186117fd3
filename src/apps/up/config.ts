import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { ControlError } from '../operator/errors.ts'
import { didYouMean } from '../operator/nearest.ts'
import { costLines, type StatedCost } from './cost-lines.ts'
import { type Config, configFrom, type Setting, type SettingPath, settings, unfit, type Value } from './settings.ts'

export const usualFile = 'wattmill.yaml'

/** What the command line says, which outranks the file. */
export interface Flags {
  readonly store?: string
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
  const given = path === undefined ? new Map<string, Value>() : withFiles(parseConfig(readConfigFile(path), path), path)
  for (const [name, value] of Object.entries(flags)) if (value !== undefined) given.set(name, value)
  for (const [name, value] of given) {
    const wrong = unfit(settings[name as SettingPath], value)
    if (wrong) throw new ControlError('invalid_value', `${name} ${wrong}`, { param: name, next: `wattmill up --help` })
  }
  const [contradiction] = contradictions(given)
  if (contradiction) throw new ControlError('bad_config', contradiction.message, { param: contradiction.path })
  return configFrom(given)
}

/** Settings each of which is right, but not together. */
export function contradictions(
  given: ReadonlyMap<string, Value>,
): { readonly path: string; readonly message: string }[] {
  const found: { path: string; message: string }[] = []
  const half = (['tls.cert', 'tls.key'] as const).find((name) => !given.get(name))
  if (half && (given.get('tls.cert') || given.get('tls.key')))
    found.push({ path: half, message: `${half} is missing: a certificate and its key go together` })
  const { idleWatts, fullWatts } = configFrom(given).power
  if (idleWatts > fullWatts)
    found.push({
      path: 'power.idle_watts',
      message: `power.idle_watts (${idleWatts}) is more than power.full_watts (${fullWatts})`,
    })
  return found
}

/** A file is named from where it is named. */
function withFiles(values: Map<string, Value>, file: string): Map<string, Value> {
  for (const [name, value] of values)
    if (settings[name as SettingPath].kind === 'file' && value) values.set(name, resolve(dirname(file), String(value)))
  return values
}

export function readConfigFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ControlError('bad_config', `${path} cannot be read (${(cause as { code?: string }).code})`, { cause })
  }
}

/** A mistake in a file: where it is, and what would be right. */
export interface Problem {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly path: string
  readonly message: string
}

export const problemText = ({ file, line, column, message }: Problem): string => `${file}:${line}:${column}: ${message}`

/** YAML → values by path; the first mistake is told with its line and column. */
export function parseConfig(text: string, file: string): Map<string, Value> {
  const { values, problems } = examineConfig(text, file)
  const [first] = problems
  if (first) throw new ControlError('bad_config', problemText(first), { param: first.path })
  return values
}

/** All that is right in a file, and all that is wrong. */
export interface Examined {
  readonly values: Map<string, Value>
  /** Undefined: it says nothing of costs. */
  readonly costs: readonly StatedCost[] | undefined
  readonly problems: Problem[]
}

export function examineConfig(text: string, file: string): Examined {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const problems: Problem[] = []
  const wrong = (offset: number, path: string, message: string): void => {
    const { line, col } = lines.linePos(offset)
    problems.push({ file, line, column: col, path, message })
  }
  for (const { pos, message } of document.errors) wrong(pos[0], '', message)
  const values = new Map<string, Value>()
  let costs: readonly StatedCost[] | undefined
  const at = (node: unknown): number => (node as Node | null)?.range?.[0] ?? 0
  const wrongAt = (node: unknown, path: string, message: string): void => wrong(at(node), path, message)
  if (problems.length === 0 && document.contents !== null) {
    const stated = isMap(document.contents) ? document.contents.items.find(({ key }) => isCosts(key)) : undefined
    const where = (node: unknown): string => `${basename(file)}:${lines.linePos(at(node)).line}`
    if (stated) costs = costLines(stated.value ?? stated.key, file, { wrong: wrongAt, where })
    collect(document.contents, '', values, wrongAt)
  }
  return { values, costs, problems }
}

const isCosts = (key: unknown): boolean => isScalar(key) && key.value === 'costs'

/** What the file says of costs; undefined: nothing, or there is no file. */
export function readCosts(file: string | undefined): readonly StatedCost[] | undefined {
  const path = file ?? (existsSync(usualFile) ? usualFile : undefined)
  if (path === undefined) return undefined
  const { costs, problems } = examineConfig(readConfigFile(path), path)
  const [first] = problems
  if (first) throw new ControlError('bad_config', problemText(first), { param: first.path })
  return costs
}

function collect(
  node: unknown,
  path: string,
  values: Map<string, Value>,
  wrong: (node: unknown, path: string, message: string) => void,
): void {
  if (!isMap(node)) {
    const what = path === '' ? 'the file' : path
    return wrong(node, path, `${what} holds settings such as "${childrenOf(path)[0]}: …"`)
  }
  for (const { key, value } of node.items) {
    if (path === '' && isCosts(key)) continue
    const name = String(isScalar(key) ? key.value : key)
    const full = path === '' ? name : `${path}.${name}`
    const setting = settingAt(full)
    if (setting) {
      const held = isScalar(value) ? value.value : isSeq(value) ? value.toJSON() : undefined
      const why = unfit(setting, held)
      if (why) wrong(value ?? key, full, `${full} ${why}`)
      else values.set(full, held as Value)
    } else if (childrenOf(full).length > 0) collect(value ?? key, full, values, wrong)
    else
      wrong(
        key,
        full,
        `unknown setting ${full}${didYouMean(name, [...(path === '' ? ['costs'] : []), ...childrenOf(path)])}`,
      )
  }
}

export const settingAt = (path: string): Setting | undefined =>
  Object.hasOwn(settings, path) ? settings[path as SettingPath] : undefined

/** Names that may stand directly under a path. */
const childrenOf = (path: string): string[] => {
  const prefix = path === '' ? '' : `${path}.`
  const below = Object.keys(settings).filter((each) => each.startsWith(prefix))
  return [...new Set(below.map((each) => each.slice(prefix.length).split('.')[0] ?? ''))]
}
