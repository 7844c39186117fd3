// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the shells.
import type { Command } from 'commander'
import { formats } from './print.ts'

/** A place in the command line: the words that lead there, what may follow, and what each of it does. */
interface Place {
  readonly words: readonly string[]
  readonly next: readonly { readonly word: string; readonly about: string }[]
}

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** Options whose value is a file or folder. */
const paths = ['--home', '--config', '--tls-cert', '--tls-key']

/** Options that take the word after them: it leads nowhere, whatever it is. */
function valued(command: Command): string[] {
  const own = command.options.filter(({ flags }) => /[<[]/.test(flags))
  const names = own.flatMap(({ long, short }) => [long ?? [], short ?? []].flat())
  return [...new Set([...names, ...command.commands.flatMap(valued)])]
}

/** A script for a shell, made from the commands themselves; it asks nobody, so it is there at once. */
export function completion(root: Command, shell: Shell): string {
  const places = placesOf(root, [root.name()])
  const scripts: Record<Shell, (places: readonly Place[], valued: readonly string[]) => string[]> = { bash, zsh, fish }
  return `${scripts[shell](places, valued(root)).join('\n')}\n`
}

function placesOf(command: Command, words: readonly string[]): Place[] {
  const below = command.commands.filter((each) => each.name() !== 'help')
  const options = [...command.options, ...(command.parent ? rootOf(command).options : [])]
  const next = [
    ...below.map((each) => ({ word: each.name(), about: each.description() })),
    ...options.map((option) => ({ word: option.long ?? option.short ?? '', about: option.description })),
    { word: '--help', about: 'how to use it' },
  ]
  const unique = [...new Map(next.map((one) => [one.word, one])).values()]
  return [{ words, next: unique }, ...below.flatMap((each) => placesOf(each, [...words, each.name()]))]
}

const rootOf = (command: Command): Command => (command.parent ? rootOf(command.parent) : command)

/** Words that lead further: a word of the line is one only where such a place is. */
const steps = (places: readonly Place[]): string[] =>
  places.filter(({ words }) => words.length > 1).map(({ words }) => words.join(' '))

const bash = (places: readonly Place[], valued: readonly string[]): string[] => [
  '# source <(wattmill completion bash)',
  '_wattmill() {',
  '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at=wattmill word skip=',
  '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
  '    if [[ $skip ]]; then skip=; continue; fi',
  `    case $word in ${valued.join('|')}) skip=1; continue ;; esac`,
  '    case "$at $word" in',
  `      ${steps(places).map(quoted).join('|')}) at="$at $word" ;;`,
  '    esac',
  '  done',
  '  case $prev in',
  `    -o|--format) COMPREPLY=($(compgen -W '${formats.join(' ')}' -- "$cur")); return ;;`,
  `    ${paths.join('|')}) COMPREPLY=($(compgen -f -- "$cur")); return ;;`,
  '  esac',
  '  local words=',
  '  case $at in',
  ...places.map(
    ({ words, next }) => `    ${quoted(words.join(' '))}) words=${quoted(next.map(({ word }) => word).join(' '))} ;;`,
  ),
  '  esac',
  '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
  '}',
  'complete -o default -F _wattmill wattmill',
]

const zsh = (places: readonly Place[], valued: readonly string[]): string[] => [
  '#compdef wattmill',
  '# source <(wattmill completion zsh)',
  '_wattmill() {',
  '  local -a found; local at=wattmill word skip=',
  '  for word in ${words[2,CURRENT-1]}; do',
  '    if [[ -n $skip ]]; then skip=; continue; fi',
  `    case $word in (${valued.join('|')}) skip=1; continue ;; esac`,
  '    case "$at $word" in',
  `      (${steps(places).map(quoted).join('|')}) at="$at $word" ;;`,
  '    esac',
  '  done',
  '  case ${words[CURRENT-1]} in',
  `    (-o|--format) compadd -- ${formats.join(' ')}; return ;;`,
  `    (${paths.join('|')}) _files; return ;;`,
  '  esac',
  '  case $at in',
  ...places.map(
    ({ words, next }) =>
      `    (${quoted(words.join(' '))}) found=(${next.map(({ word, about }) => quoted(`${word}:${about}`)).join(' ')}) ;;`,
  ),
  '  esac',
  "  _describe 'wattmill' found",
  '  _files',
  '}',
  'compdef _wattmill wattmill',
]

const fish = (places: readonly Place[], valued: readonly string[]): string[] => [
  '# wattmill completion fish | source',
  'function __wattmill_at',
  '  set -l at wattmill',
  '  set -l skip 0',
  '  for word in (commandline -opc)[2..-1]',
  '    if test $skip = 1',
  '      set skip 0',
  '      continue',
  '    end',
  `    if contains -- $word ${valued.join(' ')}`,
  '      set skip 1',
  '      continue',
  '    end',
  '    switch "$at $word"',
  `      case ${steps(places).map(quoted).join(' ')}`,
  '        set at "$at $word"',
  '    end',
  '  end',
  '  test "$at" = "$argv"',
  'end',
  ...places.flatMap(({ words, next }) =>
    next.map(({ word, about }) => {
      const when = `-n ${quoted(`__wattmill_at ${words.join(' ')}`)}`
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${quoted(word)}`
      return `complete -c wattmill ${when} ${what} -d ${quoted(about)}`
    }),
  ),
  `complete -c wattmill -s o -x -a ${quoted(formats.join(' '))}`,
]

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
