import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fromGguf } from '../../plant/models/from-gguf.ts'
import { parameters } from '../../plant/models/parameters.ts'
import { readGgufHeader } from './gguf.ts'

test('the card read from a real GGUF counts the parameters that the file holds', () => {
  const [file] = globSync('models/starter/*.gguf')
  assert(file, 'the starter model is in the repository')
  const header = readGgufHeader(readFileSync(file))
  const card = fromGguf('starter', header.metadata, {
    bytes: header.expectedBytes - header.dataOffset,
    parameters: header.parameters,
    tied: !header.tensors.some((tensor) => tensor.name === 'output.weight'),
  })
  assert('layers' in card, JSON.stringify(card))
  assert.equal(parameters(card).total, header.parameters)
})
