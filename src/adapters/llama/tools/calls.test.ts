import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CallDelta } from '../protocol.ts'
import { ToolCalls } from './calls.ts'
import { toolFormat } from './format.ts'

const hermes = '{% if tools %}<tool_call>{"name": …, "arguments": …}</tool_call>{% endif %}'
const mistral = '{% if tools is not none %}[TOOL_CALLS]{% endif %}'
const llama =
  '{% if tools %}{"name": function name, "parameters": dictionary of argument name and its value}{% endif %}'

interface Read {
  readonly text: string
  readonly calls: readonly { readonly id: string; readonly name: string; readonly text: string }[]
}

/** Reads an answer cut into pieces; deltas are put together again. */
function read(template: string, pieces: readonly string[], names = ['weather', 'time']): Read {
  const format = toolFormat(template)
  assert(format)
  let made = 0
  const parser = new ToolCalls(format, new Set(names), () => `id${made++}`)
  const parts = [...pieces.map((piece) => parser.push(piece)), parser.end()]
  const calls: { id: string; name: string; text: string }[] = []
  for (const delta of parts.flatMap((part): readonly CallDelta[] => part.calls)) {
    if (delta.id !== undefined) {
      assert.equal(delta.index, calls.length, 'calls come in their order')
      calls.push({ id: delta.id, name: delta.name ?? '', text: delta.arguments })
    } else {
      const call = calls[delta.index]
      assert(call && delta.name === undefined)
      call.text += delta.arguments
    }
  }
  return { text: parts.map(({ text }) => text).join(''), calls }
}

const one = (name: string, text: string, at = 0) => ({ id: `id${at}`, name, text })

/** Template, answer, what it says. */
const cases: readonly (readonly [string, string, Read])[] = [
  [hermes, 'Hello, no call here. <tool', { text: 'Hello, no call here. <tool', calls: [] }],
  [
    hermes,
    '<tool_call>\n{"name": "weather", "arguments": {"city": "Köln \\"am\\" Rhein", "n": [1, {"a": "}"}]}}\n</tool_call>',
    { text: '', calls: [one('weather', '{"city": "Köln \\"am\\" Rhein", "n": [1, {"a": "}"}]}')] },
  ],
  [
    hermes,
    'I look.\n<tool_call>{"arguments": {}, "name": "time"}</tool_call>\n<tool_call>\n{"name":"weather","arguments":{"x":1}}</tool_call>\n\nDone',
    { text: 'I look.\nDone', calls: [one('time', '{}'), one('weather', '{"x":1}', 1)] },
  ],
  [hermes, '<tool_call>{"name": "time"}</tool_call>', { text: '', calls: [one('time', '{}')] }],
  [hermes, '<tool_call>{"name": "time", "arguments": null}</tool_call>', { text: '', calls: [one('time', '{}')] }],
  [
    hermes,
    '<tool_call>{"name": "time", "arguments": "{\\"zone\\": \\"UTC\\"}"}</tool_call>',
    { text: '', calls: [one('time', '{"zone": "UTC"}')] },
  ],
  // What is no call is content, letter for letter.
  [hermes, 'a <tool_call>nothing', { text: 'a <tool_call>nothing', calls: [] }],
  [
    hermes,
    '<tool_call>\n{"name": "nobody", "arguments": {}}\n</tool_call>',
    { text: '<tool_call>\n{"name": "nobody", "arguments": {}}\n</tool_call>', calls: [] },
  ],
  [hermes, '<tool_call>{"name": 5}', { text: '<tool_call>{"name": 5}', calls: [] }],
  [hermes, '<tool_call>{"na', { text: '<tool_call>{"na', calls: [] }],
  // Once told a call stays one, though it was cut off.
  [hermes, '<tool_call>{"name": "time", "arguments": {"zo', { text: '', calls: [one('time', '{"zo')] }],
  [
    mistral,
    '[TOOL_CALLS] [{"name": "weather", "arguments": {"x": 1}}, {"name": "time", "arguments": {}}]',
    { text: '', calls: [one('weather', '{"x": 1}'), one('time', '{}', 1)] },
  ],
  [mistral, 'The list [1, 2] is short.', { text: 'The list [1, 2] is short.', calls: [] }],
  [llama, '{"name": "weather", "parameters": {"x": 1}}', { text: '', calls: [one('weather', '{"x": 1}')] }],
  [
    llama,
    '<|python_tag|>{"name": "time", "parameters": {}}; {"name": "weather", "parameters": {}}',
    { text: '', calls: [one('time', '{}'), one('weather', '{}', 1)] },
  ],
  [llama, '<|pyth', { text: '<|pyth', calls: [] }],
  [llama, ' {"name": "Bob", "age": 7}', { text: ' {"name": "Bob", "age": 7}', calls: [] }],
  [
    llama,
    'Well: {"name": "weather", "parameters": {}}',
    { text: 'Well: {"name": "weather", "parameters": {}}', calls: [] },
  ],
]

test('calls and content are told apart, however the answer is cut into pieces', () => {
  for (const [template, answer, expected] of cases) {
    assert.deepEqual(read(template, [answer]), expected, answer)
    assert.deepEqual(read(template, [...answer]), expected, `letter by letter: ${answer}`)
  }
  fc.assert(
    fc.property(
      fc.constantFrom(...cases),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      ([template, answer, expected], sizes) => {
        const pieces: string[] = []
        for (let at = 0, turn = 0; at < answer.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1
          pieces.push(answer.slice(at, at + size))
          at += size
        }
        assert.deepEqual(read(template, pieces), expected)
      },
    ),
    { numRuns: 500 },
  )
})

test('arguments go out while they are written, and not before their name', () => {
  const format = toolFormat(hermes)
  assert(format)
  const parser = new ToolCalls(format, new Set(['time']), () => 'id')
  assert.deepEqual(parser.push('<tool_call>{"name": "ti').calls, [])
  assert.deepEqual(parser.push('me", "arguments": {"zone"').calls, [
    { index: 0, id: 'id', name: 'time', arguments: '{"zone"' },
  ])
  assert(parser.inCall)
  assert.deepEqual(parser.push(': "U').calls, [{ index: 0, arguments: ': "U' }])
  assert.deepEqual(parser.push('TC"}}</tool').calls, [{ index: 0, arguments: 'TC"}' }])
  assert(parser.inCall)
  assert.equal(parser.finished, 1)
  parser.push('_call>')
  assert(!parser.inCall)
})

test('any text at all is told once, as content or in a call', () => {
  const bits = [
    '<tool_call>',
    '</tool_call>',
    '{"name": "time", "arguments": {}}',
    '{"name"',
    ': "x"',
    '}',
    '[',
    ',',
    ' ',
    'a',
    '"',
    '\\',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...bits), { maxLength: 12 }), (pieces) => {
      const { text, calls } = read(hermes, pieces)
      const all = pieces.join('')
      if (calls.length === 0) assert.equal(text, all)
      else assert(calls.every(({ name }) => name === 'time'))
    }),
    { numRuns: 3000 },
  )
})

test('which templates have tools that are read', () => {
  assert.equal(toolFormat(undefined), undefined)
  assert.equal(toolFormat('{% for m in messages %}{{ m.content }}{% endfor %}'), undefined)
  assert.equal(toolFormat('{% if tools %}<function=example>{% endif %}<tool_call>'), undefined, 'Qwen3-Coder: XML')
  assert.equal(toolFormat('{% if tools %}[TOOL_CALLS]name[ARGS]{}{% endif %}'), undefined)
  assert.equal(toolFormat(mistral)?.id.length, 9)
  assert.equal(toolFormat(hermes)?.open, '<tool_call>')
  assert.equal(toolFormat(llama)?.key, 'parameters')
})
