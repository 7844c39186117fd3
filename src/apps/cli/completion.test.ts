import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporary } from '../operator/testing.ts'
import { completion, shells } from './completion.ts'
import { program } from './program.ts'

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0
const folder = temporary()
const scriptOf = (shell: (typeof shells)[number]): string => {
  const file = join(folder, `wattmill.${shell}`)
  writeFileSync(file, completion(program(), shell))
  return file
}

/** What bash would offer for the last of these words. */
function offered(...words: readonly string[]): string[] {
  const line = `source '${scriptOf('bash')}'; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _wattmill; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', line], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout.split('\n').filter(Boolean)
}

const bashIsThere = has('bash')
const cases: readonly (readonly [words: readonly string[], expected: readonly string[]])[] = [
  [['wattmill', 'ke'], ['keys']],
  [['wattmill', 'keys', 're'], ['revoke']],
  [
    ['wattmill', 'engines', 'add', '--me'],
    ['--meter', '--metrics-url'],
  ],
  [['wattmill', '--home', 'keys', 'models', 'a'], ['add']],
  [
    ['wattmill', 'keys', 'list', '-o', ''],
    ['json', 'yaml', 'table'],
  ],
]
for (const [words, expected] of cases)
  test(`bash completes ${words.join(' ')}`, { skip: !bashIsThere && 'bash is not here' }, () => {
    const found = offered(...words)
    for (const word of expected) assert(found.includes(word), `${word} among ${found.join(' ')}`)
    const [last = ''] = words.slice(-1)
    for (const word of found) assert(word.startsWith(last), word)
  })

for (const shell of shells)
  test(`the script for ${shell} parses`, { skip: !has(shell) && `${shell} is not here` }, () => {
    const { status, stderr } = spawnSync(shell, ['-n', scriptOf(shell)], { encoding: 'utf8' })
    assert.equal(status, 0, stderr)
  })

test('every command is in every script', () => {
  const commands = program().commands.flatMap((command) => [command, ...command.commands])
  assert(commands.length > 30, 'a check that saw nothing proves nothing')
  for (const shell of shells) {
    const script = completion(program(), shell)
    for (const command of commands) assert(script.includes(command.name()), `${shell}: ${command.name()}`)
  }
})
