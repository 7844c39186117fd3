import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { ControlError } from '../../operator/errors.ts'
import { didYouMean } from '../../operator/nearest.ts'
import {
  contradictions,
  examineConfig,
  type Problem,
  problemText,
  readConfigFile,
  readCosts,
  usualFile,
} from '../../up/config.ts'
import { configSchema } from '../../up/schema.ts'
import { type Setting, settings, type Value } from '../../up/settings.ts'
import { exitCodes } from '../exit.ts'
import { fields, type Row, table } from '../print.ts'
import { type Common, does, guarded, show } from '../run.ts'
import { complain, warn } from '../talk.ts'

export function configCommands(program: Command): void {
  const config = program.command('config').description('wattmill.yaml: what it may say, and whether it is right')

  const validate = config
    .command('validate')
    .description('every mistake in a file, with its line and column')
    .argument('[file]', 'the file', usualFile)
  validate.action((file: string) => guarded(async () => report(validateFile(file), validate.optsWithGlobals<Common>())))

  const explain = config
    .command('explain')
    .description('what a setting means, its bounds, and what is in force and why')
    .argument('[path]', 'such as limits.queue_seconds, or limits (default: all)')
    .option('--config <file>', 'the file (default: wattmill.yaml, if it is here)')
  explain.action((path: string | undefined) =>
    guarded(async () => {
      const options = explain.optsWithGlobals<Common & { config?: string }>()
      show({ settings: explained(path, options.config) }, options, settingsView)
      return undefined
    }),
  )

  does<{ readonly dryRun?: boolean }>(
    config
      .command('apply')
      .description('puts the costs that a file states into force, as `up` does when it starts')
      .argument('[file]', 'the file', usualFile)
      .option('--dry-run', 'only say what would change'),
    async (factory, options, file = usualFile) => {
      const costs = readCosts(file)
      if (!costs)
        throw new ControlError('bad_config', `${file} says nothing of costs`, {
          next: 'Write costs: into it, a list of what `wattmill costs set` takes; [] ends all that it stated',
        })
      const body = { costs, dry_run: options.dryRun ?? false }
      const stated = (await factory.json('PUT', '/api/costs', body)) as Stated
      show(stated, options, statedView)
      for (const { at, message, next } of stated.waiting) warn(`${at}: ${message}: it waits. Next: ${next}`)
      return stated.waiting.length > 0 ? exitCodes.refused.code : undefined
    },
  )

  config
    .command('schema')
    .description('the JSON Schema of wattmill.yaml, for editors')
    .action(() =>
      guarded(async () => {
        process.stdout.write(`${JSON.stringify(configSchema(), null, 2)}\n`)
        return undefined
      }),
    )
}

interface Stated {
  readonly dry_run: boolean
  readonly declared: readonly Row[]
  readonly ended: readonly Row[]
  readonly unchanged: number
  readonly waiting: readonly { readonly at: string | null; readonly message: string; readonly next: string }[]
}

const statedView = ({ dry_run, declared, ended, unchanged }: Stated): string[] => [
  ...table([...declared, ...ended]),
  `${declared.length} declared, ${ended.length} ended, ${unchanged} as they are${dry_run ? ' (nothing was changed: --dry-run)' : ''}`,
]

interface Report {
  readonly file: string
  readonly valid: boolean
  readonly settings: number
  readonly problems: readonly Problem[]
}

function validateFile(file: string): Report {
  const { values, problems } = examineConfig(readConfigFile(file), file)
  const together = problems.length > 0 ? [] : contradictions(values)
  const all = [...problems, ...together.map(({ path, message }) => ({ file, line: 1, column: 1, path, message }))]
  return { file, valid: all.length === 0, settings: values.size, problems: all }
}

function report(result: Report, options: Common): number {
  show(result, options, ({ file, valid, settings: count, problems }: Report) =>
    valid ? [`${file} is right: ${count} settings`] : problems.map(problemText),
  )
  if (result.valid) return exitCodes.ok.code
  complain(`${result.file} has ${result.problems.length} mistakes`, 'wattmill config explain')
  return exitCodes.usage.code
}

interface Explained {
  readonly path: string
  readonly value: Value
  /** The file that says it, or `usual`. */
  readonly from: string
  readonly usual: Value
  readonly type: string
  readonly min?: number
  readonly max?: number
  readonly why: string
}

function explained(path: string | undefined, file: string | undefined): Explained[] {
  const named = file ?? (existsSync(usualFile) ? usualFile : undefined)
  const { values } =
    named === undefined ? { values: new Map<string, Value>() } : examineConfig(readConfigFile(named), named)
  const all = Object.entries(settings) as [string, Setting][]
  const wanted = all.filter(([name]) => path === undefined || name === path || name.startsWith(`${path}.`))
  if (wanted.length === 0) {
    if (/^costs\b/.test(path ?? ''))
      throw new ControlError('not_found', 'costs is no setting: it lists what `wattmill costs set` takes', {
        param: 'path',
        next: 'wattmill config apply --dry-run   (what the file would change); wattmill costs list',
      })
    const known = all.flatMap(([name]) => [name, name.split('.')[0] ?? ''])
    throw new ControlError('not_found', `there is no setting ${path}${didYouMean(path ?? '', known)}`, {
      param: 'path',
      next: 'wattmill config explain',
    })
  }
  return wanted.map(([name, setting]) => {
    const given = values.get(name)
    return {
      path: name,
      value: given ?? setting.usual,
      from: given === undefined ? 'usual' : (named ?? ''),
      usual: setting.usual,
      type: types[setting.kind],
      ...('min' in setting && { min: setting.min, max: setting.max }),
      why: setting.why,
    }
  })
}

const types: Readonly<Record<Setting['kind'], string>> = {
  integer: 'whole number',
  number: 'number',
  name: 'name',
  text: 'text',
  file: 'path',
  url: 'http or https URL',
  networks: 'list of addresses and networks',
}

/** One setting in full; several one below the other. */
const settingsView = ({ settings: shown }: { readonly settings: readonly Explained[] }): readonly Row[] | string[] =>
  shown.length === 1 && shown[0]
    ? fields({ ...shown[0] })
    : shown.map(({ path, value, from, type, min, max, why }) => ({
        setting: path,
        value: Array.isArray(value) || value !== '' ? value : '-',
        from,
        type,
        bounds: min === undefined ? '-' : `${min} to ${max}`,
        why,
      }))
