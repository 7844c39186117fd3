import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporary } from '../operator/testing.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const script = join(root, 'bin', 'wattmill.mjs')

function train(args: readonly string[], of = script): { code: number | null; err: string } {
  const env = { ...process.env, WATTMILL_HOME: join(temporary(), 'home'), NO_COLOR: '1' }
  const { status, stderr } = spawnSync(process.execPath, [of, 'models', 'train', 'starter', ...args], {
    encoding: 'utf8',
    env,
  })
  return { code: status, err: stderr }
}

test('without the messages, or with no epochs, nothing begins and it is said what to do', () => {
  const out = join(temporary(), 'out')
  const gone = train(['--data', '/nowhere.csv', '--out', out])
  assert.equal(gone.code, 3)
  assert.match(gone.err, /there is no file \/nowhere.csv\nNext: Give Banking77's training part with --data/)
  const none = train(['--data', '/nowhere.csv', '--epochs', '0', '--out', out])
  assert.equal(none.code, 2)
  assert(!existsSync(out))
})

test('without the trainer, which is a development dependency, nothing begins and it is said how to get it', {
  skip: process.platform === 'win32',
}, () => {
  // The source with all that is installed but the trainer, as in a package.
  const folder = temporary()
  for (const part of ['bin', 'src', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true })
  mkdirSync(join(folder, 'node_modules'))
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@jax-js') symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  const data = join(folder, 'messages.csv')
  writeFileSync(data, 'text,category\nwhere is it,card\n')
  const { code, err } = train(['--data', data, '--out', join(folder, 'out')], join(folder, 'bin', 'wattmill.mjs'))
  assert.equal(code, 4, err)
  assert.match(err, /@jax-js\/jax, is not installed/)
  assert.match(err, /Next: npm install --save-dev/)
  assert(!existsSync(join(folder, 'out')))
})
