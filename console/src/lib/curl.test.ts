import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { curlOf } from './curl.ts'

test('a shell takes the line apart into the body that was meant, whatever is in it', {
  skip: process.platform === 'win32',
}, () => {
  const body = { model: 'm', messages: [{ role: 'user', content: `it's "$HOME" \\ \`id\` ünï` }] }
  const line = curlOf('http://127.0.0.1:4141', body).replace(/^curl/, 'printf "%s\\n"')
  const words = execFileSync('sh', ['-c', line], { encoding: 'utf8', env: { WATTMILL_KEY: 'wm-k' } }).split('\n')
  assert.deepEqual(words.slice(0, 3), ['http://127.0.0.1:4141/v1/chat/completions', '-H', 'authorization: Bearer wm-k'])
  assert.deepEqual(JSON.parse(words[6] ?? ''), body)
})
