import type { Command } from 'commander'
import { asControlError, ControlError, controlCatalogue } from '../operator/errors.ts'
import { nearest } from '../operator/nearest.ts'
import { type Reached, reach } from '../operator/reach.ts'
import { type Format, formats, render, type View } from './print.ts'
import { complain, talk, warn } from './talk.ts'

/** Options that every command takes. */
export interface Common {
  readonly home: string
  readonly format: string
}

/** A command that asks the factory one thing and shows the answer. Returns the exit code; undefined is 0. */
export type Work<Options> = (
  factory: Reached,
  options: Options & Common,
  ...names: string[]
) => Promise<number | undefined>

/**
 * Joins a command to its work: opens the way to the factory, closes it, and turns whatever went wrong into words, the next
 * command to try, and an exit code.
 */
export function does<Options>(command: Command, work: Work<Options>): Command {
  return command.action((...given: unknown[]) => {
    const options = command.optsWithGlobals<Options & Common>()
    const names = given.slice(0, -2).filter((name) => typeof name === 'string')
    return guarded(async () => {
      const factory = await reach(options.home, talk)
      try {
        return await work(factory, options, ...names)
      } finally {
        factory.close()
      }
    })
  })
}

/** Sets the exit code; never throws. */
export async function guarded(work: () => Promise<number | undefined>): Promise<void> {
  try {
    process.exitCode = (await work()) ?? 0
  } catch (cause) {
    const error = asControlError(cause)
    const ours = cause instanceof Error && cause !== error && error.code === 'internal_error'
    if (ours) talk(cause.stack ?? cause.message)
    complain(ours ? `this command failed: ${cause.message}` : error.message, error.next)
    process.exitCode = controlCatalogue[error.code].exit
  }
}

/** The result to stdout, in the format asked for; what it notes on the way to stderr. */
export function show(value: unknown, { format }: Common, view: View): void {
  process.stdout.write(render(value, formatOf(format), view))
  const { notice, notices, made, shared, published } = value as Notes
  for (const each of [notice ?? [], notices ?? []].flat()) warn(each)
  for (const each of made ?? []) warn(`made ${each}, which was not there before`)
  for (const { model, engines } of shared ?? [])
    warn(`${model} is also served by ${engines.join(', ')}: requests are spread over all of them`)
  if (published && published.confirmed < published.gateways)
    warn(
      `${published.gateways - published.confirmed} of ${published.gateways} gateways have not taken up the change yet; they do within a second of answering`,
    )
}

interface Notes {
  readonly notice?: string
  readonly notices?: readonly string[]
  readonly made?: readonly string[]
  readonly shared?: readonly { readonly model: string; readonly engines: readonly string[] }[]
  readonly published?: { readonly gateways: number; readonly confirmed: number }
}

export function formatOf(given: string): Format {
  const known = formats.find((each) => each === given)
  if (known) return known
  const meant = nearest(given, formats)
  throw new ControlError(
    'invalid_value',
    `-o is one of ${formats.join(', ')}, not ${given}${meant ? `; did you mean ${meant}?` : ''}`,
    { param: 'format', next: 'Use -o json' },
  )
}

/** A path of the API with its names made safe. */
export const path = (strings: TemplateStringsArray, ...names: string[]): string =>
  String.raw({ raw: strings }, ...names.map(encodeURIComponent))

/** `?a=1&b=2` of what is given. */
export function query(given: Readonly<Record<string, string | number | undefined>>): string {
  const set = Object.entries(given).filter((entry): entry is [string, string | number] => entry[1] !== undefined)
  return set.length === 0
    ? ''
    : `?${new URLSearchParams(Object.fromEntries(set.map(([name, value]) => [name, String(value)])))}`
}
