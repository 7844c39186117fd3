import assert from 'node:assert/strict'
import { test } from 'node:test'
import { engineSettings } from './settings.ts'

const needed = ['--home', '/h', '--socket', '/s']

test('defaults leave a core free, and models are named', () => {
  const settings = engineSettings([...needed, '--model', 'a=/x=y.gguf', '--model', 'b=z.gguf'], 8)
  assert.deepEqual(settings, {
    kind: 'settings',
    home: '/h',
    socket: '/s',
    slots: 4,
    threads: 7,
    context: 4096,
    batch: 512,
    queue: 256,
    memory_mib: 0,
    gpu: 'auto',
    models: [
      { name: 'a', path: '/x=y.gguf' },
      { name: 'b', path: 'z.gguf' },
    ],
  })
  assert.ok(((one) => one.kind === 'settings' && one.threads === 1)(engineSettings(needed, 1)))
})

test('what makes no sense is refused with the reason', () => {
  const cases = [
    ['--home', '/h'],
    [...needed, '--slots', '0'],
    [...needed, '--slots', 'many'],
    [...needed, '--queue', '-1'],
    [...needed, '--model', 'nameless.gguf'],
    [...needed, '--model', '=x'],
    [...needed, '--gpu', 'yes'],
    [...needed, '--colour', 'red'],
    [...needed, '--slots', '32', '--batch', '16'],
  ]
  for (const args of cases) {
    const settings = engineSettings(args)
    assert.ok(settings.kind === 'refused' && settings.message.length > 5, args.join(' '))
  }
})
