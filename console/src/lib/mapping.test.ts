import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapping } from './mapping.ts'

test('public names and what the engine calls them', () => {
  assert.deepEqual(mapping('qwen=Qwen/Qwen3-8B, llama\n a=b=c'), { qwen: 'Qwen/Qwen3-8B', llama: 'llama', a: 'b=c' })
  assert.deepEqual(mapping('  '), {})
})
