import type { Command } from 'commander'
import { exitCodes } from './exit.ts'
import { program } from './program.ts'

const row = (...cells: readonly (string | number)[]): string => `| ${cells.map(safe).join(' | ')} |`
const code = (text: string): string => `\`${text}\``
const safe = (cell: string | number): string => String(cell).replaceAll('|', '\\|')

/** docs/cli.md, from the commands themselves. */
export function cliPage(): string {
  const root = program()
  return [
    '# Command line',
    '',
    'Made by `npm run docs` from the commands themselves; do not edit by hand.',
    '',
    'Data goes to stdout, talk to stderr; what went wrong ends with the next command to try. Nothing is asked for without a',
    'terminal, colours obey `NO_COLOR`, long work shows a bar on a terminal and a line now and then elsewhere. While the factory',
    'runs, commands ask it; while it is stopped, they work on its folder themselves.',
    '',
    '## For every command',
    '',
    ...optionTable(root),
    '',
    ...root.commands.flatMap((command) => section(command, [])),
    '## Exit codes',
    '',
    row('exit', 'means'),
    row('---', '---'),
    ...Object.values(exitCodes).map(({ code, means }) => row(code, means)),
    row(69, 'no Node 24 or later was found'),
    row(130, '`wattmill up` was told twice to stop, and did not wait'),
    '',
    'Which error ends with which code: [errors.md](errors.md). Settings of `wattmill up`: [config.md](config.md).',
    '',
  ].join('\n')
}

function section(command: Command, above: readonly string[]): string[] {
  const words = [...above, command.name()]
  if (command.commands.length > 0)
    return [
      `## ${words.join(' ')}`,
      '',
      `${sentence(command.description())}`,
      '',
      ...command.commands.flatMap((each) => section(each, words)),
    ]
  const args = command.registeredArguments.map((argument) => ({
    name: argument.required ? `<${argument.name()}>` : `[${argument.name()}]`,
    about: argument.description,
  }))
  return [
    `${above.length === 0 ? '##' : '###'} ${words.join(' ')}`,
    '',
    `${sentence(command.description())}`,
    '',
    '```',
    ['wattmill', ...words, ...args.map(({ name }) => name), ...(command.options.length > 0 ? ['[options]'] : [])].join(
      ' ',
    ),
    '```',
    '',
    ...args.filter(({ about }) => about).map(({ name, about }) => `${code(name)}: ${about}`),
    ...(args.some(({ about }) => about) ? [''] : []),
    ...(command.options.length > 0 ? [...optionTable(command), ''] : []),
  ]
}

const optionTable = (command: Command): string[] => [
  row('option', 'what it does'),
  row('---', '---'),
  ...command.options.map((option) =>
    row(code(option.flags), `${option.description}${option.mandatory ? ' (needed)' : ''}`),
  ),
]

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
