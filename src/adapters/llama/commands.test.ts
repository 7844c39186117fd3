import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCommand } from './commands.ts'

const generate = { do: 'generate', id: 'r/1', model: 'm', text: 'hello', sampling: {} }

test('commands that make sense pass unchanged', () => {
  const commands = [
    generate,
    { ...generate, max_tokens: 3, stop: ['\n'], sampling: { temperature: 0, top_k: -1, seed: -5 } },
    { ...generate, text: undefined, messages: [{ role: 'user', content: '' }] },
    { do: 'cancel', id: 'r/1' },
    { do: 'load', model: 'm', path: '/x.gguf' },
    { do: 'unload', model: 'm' },
    { do: 'status' },
  ]
  for (const command of commands) {
    const line = JSON.stringify(command)
    assert.deepEqual(parseCommand(line), { kind: 'command', command: JSON.parse(line) }, line)
  }
})

test('everything else is refused, under its id where it has one', () => {
  const cases: [string, string][] = [
    ['', ''],
    ['nonsense', ''],
    ['[1]', ''],
    ['null', ''],
    ['{"do":"dance","id":"r/1"}', 'r/1'],
    ['{"do":7}', ''],
    [JSON.stringify({ ...generate, model: undefined }), 'r/1'],
    [JSON.stringify({ ...generate, sampling: undefined }), 'r/1'],
    [JSON.stringify({ ...generate, messages: [{ role: 'user', content: 'x' }] }), 'r/1'],
    [JSON.stringify({ ...generate, text: undefined }), 'r/1'],
    [JSON.stringify({ ...generate, max_tokens: 0 }), 'r/1'],
    [JSON.stringify({ ...generate, max_tokens: 1.5 }), 'r/1'],
    [JSON.stringify({ ...generate, stop: [''] }), 'r/1'],
    [JSON.stringify({ ...generate, sampling: { temperature: -1 } }), 'r/1'],
    [JSON.stringify({ ...generate, sampling: { top_p: '1' } }), 'r/1'],
    [JSON.stringify({ ...generate, text: undefined, messages: [{ role: '<|im_start|>', content: '' }] }), 'r/1'],
    [JSON.stringify({ ...generate, id: 'x'.repeat(300) }), 'x'.repeat(256)],
    [JSON.stringify({ ...generate, id: 7 }), ''],
  ]
  for (const [line, id] of cases) {
    const parsed = parseCommand(line)
    assert.equal(parsed.kind, 'refused', line)
    assert.equal(parsed.kind === 'refused' && parsed.id, id, line)
    assert.ok(parsed.kind === 'refused' && parsed.message.length > 3, line)
  }
})
