import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Rail } from '../../lines/inference/rail.ts'
import { railsFor } from '../../lines/inference/rail.ts'
import { id, type ModelId } from '../../units/ids.ts'
import { isObject } from '../../units/json.ts'
import { AnswerText } from '../openai/answer-text.ts'
import type { Piece } from '../openai/engine.ts'
import { answerCheck } from './answer.ts'
import { wrongRail } from './compiled.ts'
import { deniedPrompt } from './prompt.ts'

const rail = (rules: Pick<Rail, 'input' | 'output'>): Rail => ({ name: 'r', scope: 'factory', of: '', ...rules })
const words = (...denied: string[]): Rail => rail({ input: { words: denied }, output: { words: denied } })

test('a rail that cannot be checked is refused, and says where', () => {
  const cases: [Pick<Rail, 'input' | 'output'>, string, RegExp][] = [
    [{}, 'input', /neither/],
    [{ input: {} }, 'input', /empty/],
    [{ input: { patterns: ['('] } }, 'input.patterns[0]', /no pattern of RE2/],
    [{ input: { patterns: ['a', '(?=b)'] } }, 'input.patterns[1]', /no pattern of RE2/],
    [{ output: { patterns: ['a*'] } }, 'output.patterns[0]', /matches everything/],
    [{ output: { patterns: ['[ab]{900}'] } }, 'output.patterns[0]', /steps; 500 is the most/],
    [{ input: { words: [' '] } }, 'input.words[0]', /1 to 500/],
    [{ output: { schema: { type: 'objet' } } }, 'output.schema', /unknown type objet/],
    [{ output: { schema: { properties: { a: { pattern: '(a+)+$' } } } } }, 'output.schema', /linear/],
    [{ output: { schema: { $ref: 'http://example.com/x' } } }, 'output.schema', /not in it/],
    [{ output: { schema: { $ref: '#' } } }, 'output.schema', /without end/],
  ]
  for (const [rules, at, why] of cases) {
    const wrong = wrongRail(rules)
    assert.equal(wrong?.at, at, JSON.stringify(rules))
    assert.match(wrong?.why ?? '', why)
  }
  assert.equal(wrongRail({ input: { patterns: ['\\d{4}'], most_bytes: 10 } }), undefined)
})

test('a denied word is found wherever a client can put it, and where it is not there nothing is', () => {
  const rails = [words('heron')]
  const chat = (content: unknown): Record<string, unknown> => ({ model: 'm', messages: [{ role: 'user', content }] })
  const denied: [Record<string, unknown>, string][] = [
    [chat('tell me of HERON'), 'messages[0].content'],
    [chat('of ｈｅｒｏｎ'), 'messages[0].content'],
    [chat([{ type: 'text', text: 'heron' }]), 'messages[0].content[0].text'],
    [
      chat([
        { type: 'text', text: 'her' },
        { type: 'text', text: 'on' },
      ]),
      'messages[0].content',
    ],
    [chat([{ type: 'input_file', text: 'heron' }]), 'messages[0].content[0].text'],
    [{ model: 'm', prompt: ['a', 'heron'] }, 'prompt[1]'],
    [{ model: 'm', input: 'heron' }, 'input'],
    [{ model: 'm', system: [{ type: 'text', text: 'heron' }], messages: [] }, 'system[0].text'],
    [{ ...chat('x'), tools: [{ function: { description: 'a heron' } }] }, 'tools[0].function.description'],
    [{ model: 'm', prompt: [[1, 2], [3]] }, 'prompt'],
  ]
  for (const [body, at] of denied) {
    const refusal = deniedPrompt(rails, body)
    assert.deepEqual([refusal?.code, refusal?.param], ['prompt_denied', at], JSON.stringify(body))
    assert(!refusal?.message.includes('heron'), 'the text stays out of the error')
  }
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,heron' } }
  for (const body of [chat('a stork'), chat([image]), { ...chat('x'), model: 'heron' }])
    assert.equal(deniedPrompt(rails, body), undefined)
})

test('a denied word hidden at any place of any text is found', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.string(), fc.string(), (json, before, after) => {
      const value: unknown = JSON.parse(json)
      const body = { model: 'm', messages: [{ role: 'user', content: value, name: `${before}xyzzy${after}` }] }
      assert.equal(deniedPrompt([words('xyzzy')], body)?.code, 'prompt_denied')
    }),
  )
})

test('the size of a prompt is that of its texts together', () => {
  const rails = [rail({ input: { most_bytes: 10 } })]
  const ask = (...texts: string[]) => ({ messages: texts.map((content) => ({ role: 'user', content })) })
  assert.equal(deniedPrompt(rails, ask('12345', '67890')), undefined)
  assert.equal(deniedPrompt(rails, ask('12345', '678901'))?.code, 'prompt_too_large')
  assert.equal(deniedPrompt(rails, ask('ääääää'))?.code, 'prompt_too_large', 'bytes, not characters')
  assert.equal(deniedPrompt([words('x')], ask('a'.repeat(1024 * 1024 + 1)))?.code, 'prompt_too_large')
})

test('what a rail’s patterns may search is bounded by their steps together', () => {
  const many = rail({ input: { patterns: ['[a-y]{100}[0-9]', '[a-y]{99}[0-9]'] } })
  const few = rail({ input: { patterns: ['[0-9]x'] } })
  const ask = (size: number) => ({ messages: [{ role: 'user', content: 'ab'.repeat(size / 2) }] })
  assert.equal(deniedPrompt([many], ask(90_000)), undefined)
  assert.equal(deniedPrompt([many], ask(110_000))?.code, 'prompt_too_large')
  assert.equal(deniedPrompt([few], ask(1024 * 1024)), undefined)
})

test('what is searched counts as it is searched: widened, and once more where parts are joined', () => {
  const slow = rail({ input: { patterns: ['[ac][ab]{100}[0-9]'] }, output: { patterns: ['[ac][ab]{100}[0-9]'] } })
  const ask = (...texts: string[]) => ({
    messages: [{ role: 'user', content: texts.map((text) => ({ type: 'text', text })) }],
  })
  const half = 'ab'.repeat(40_000)
  assert.equal(deniedPrompt([slow], ask(half + half)), undefined)
  assert.equal(deniedPrompt([slow], ask(half, half))?.code, 'prompt_too_large')
  assert.equal(deniedPrompt([words('x')], ask(half.repeat(6), half.repeat(6))), undefined, 'words take no steps')

  const wide = '\uFDFA'.repeat(20_000) // 60 KB, and 660 KB as they are searched
  assert.equal(deniedPrompt([slow], ask(wide))?.code, 'prompt_too_large')
  const said = (text: string) => ({ texts: [text], contents: [text], size: text.length })
  assert.equal(answerCheck([slow])?.whole(said(wide))?.code, 'answer_too_large')
  assert.equal(answerCheck([slow])?.whole(said(half)), undefined)
})

test('a rail binds whom it says', () => {
  const of = (scope: Rail['scope'], of: string): Rail => ({
    name: `${scope} ${of}`,
    scope,
    of,
    input: { most_bytes: 1 },
  })
  const rails = [
    of('factory', ''),
    of('tenant', 'acme'),
    of('tenant', 'b'),
    of('application', 'acme/a%2Fb'),
    of('model', 'm'),
  ]
  const bound = (tenant: string, application: string, ...models: string[]) =>
    railsFor(
      rails,
      { tenant: id(tenant), application: id(application) },
      models.map((one) => id<ModelId>(one)),
    ).map(({ name }) => name)
  assert.deepEqual(bound('acme', 'a/b', 'n'), ['factory ', 'tenant acme', 'application acme/a%2Fb'])
  assert.deepEqual(bound('c', 'x', 'alias', 'm'), ['factory ', 'model m'], 'an alias is no way around')
})

const chunk = (content: string): Piece => ({ kind: 'chunk', chunk: { choices: [{ index: 0, delta: { content } }] } })
const saidBy = (pieces: readonly Piece[]): AnswerText => {
  const said = new AnswerText()
  for (const piece of pieces) said.add(piece)
  return said
}

test('however an answer is cut into chunks, its texts are the same', () => {
  fc.assert(
    fc.property(fc.string(), fc.array(fc.nat({ max: 30 })), (text, cuts) => {
      const at = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
      const parts = at.slice(1).map((to, index) => text.slice(at[index], to))
      assert.equal(saidBy(parts.map(chunk)).contents.join(''), text)
      assert.equal(saidBy(parts.map((part): Piece => ({ kind: 'text', text: part }))).contents.join(''), text)
    }),
  )
})

test('what is denied is found in content, reasoning, calls and fields of other engines', () => {
  const check = () => answerCheck([words('heron')])
  const delta = (said: object): Piece => ({ kind: 'chunk', chunk: { choices: [{ index: 0, delta: said }] } })
  const denied: Piece[][] = [
    [chunk('the her'), chunk('on')],
    [{ kind: 'whole', body: { choices: [{ message: { content: 'HERON' } }] } }],
    [{ kind: 'whole', body: { choices: [{ text: 'ok' }, { text: 'heron' }] } }],
    [delta({ reasoning_content: 'her' }), delta({ reasoning_content: 'on' })],
    [
      delta({ tool_calls: [{ index: 1, function: { arguments: '{"a":"her' } }] }),
      delta({ tool_calls: [{ index: 1, function: { arguments: 'on"}' } }] }),
    ],
    [
      { kind: 'calls', calls: [{ index: 0, arguments: 'her' }] },
      { kind: 'calls', calls: [{ index: 0, arguments: 'on' }] },
    ],
  ]
  for (const pieces of denied)
    assert.equal(check()?.whole(saidBy(pieces))?.code, 'answer_denied', JSON.stringify(pieces))
  const apart = [delta({ content: 'her' }), delta({ reasoning_content: 'on' })]
  assert.equal(check()?.whole(saidBy(apart)), undefined, 'two texts are not one')
})

test('an answer that runs on is searched as it doubles, and cut', () => {
  const check = answerCheck([words('heron')])
  const said = new AnswerText()
  let cutAt = 0
  for (let count = 0; count < 100 && cutAt === 0; count++) {
    said.add(chunk(count === 10 ? 'heron' : 'x'.repeat(200)))
    if (check?.sofar(said)) cutAt = said.size
  }
  assert(cutAt > 0 && cutAt < 2 * 2 * 2005, `cut at ${cutAt}`)
  assert.equal(
    answerCheck([rail({ output: { most_bytes: 5 } })])?.sofar(saidBy([chunk('123456')]))?.code,
    'answer_too_large',
  )
  assert.equal(
    answerCheck([rail({ output: { most_bytes: 6 } })])?.sofar(saidBy([chunk('ääää')]))?.code,
    'answer_too_large',
  )
  assert.equal(answerCheck([rail({ input: { most_bytes: 5 } })]), undefined)
})

test('each choice must satisfy the schema', () => {
  const schema = { type: 'object', required: ['intent'], properties: { intent: { enum: ['a', 'b'] } } }
  const check = answerCheck([rail({ output: { schema } })])
  const whole = (...contents: string[]): AnswerText =>
    saidBy([{ kind: 'whole', body: { choices: contents.map((content) => ({ message: { content } })) } }])
  assert(isObject(schema))
  assert.equal(check?.whole(whole('{"intent":"a"}', ' {"intent":"b"} ')), undefined)
  for (const bad of ['{"intent":"c"}', '{}', 'intent a', ''])
    assert.equal(check?.whole(whole('{"intent":"a"}', bad))?.code, 'answer_invalid', bad)
})
