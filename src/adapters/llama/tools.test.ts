import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Schema from 'typebox/schema'
import type { GenerateCommand } from './commands.ts'
import type { CallDelta, Tools } from './protocol.ts'
import { byteToken, EOS, OWN, writeTinyModel } from './testing.ts'
import { ask, type Heard, startTiny, temporaryFolder } from './testing-engine.ts'

/** ChatML with tools as Hermes and Qwen write them. */
const template = `{% if tools %}<|im_start|>system
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}<tool_call>{"name": …, "arguments": …}</tool_call><|im_end|>
{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}
{% if m.tool_calls %}{% for call in m.tool_calls %}<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}{% else %}{{ m.content }}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`

const parameters = {
  type: 'object',
  properties: { city: { enum: ['Köln', 'Bonn'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
  required: ['city', 'days'],
  additionalProperties: false,
}
const tools = (choice: Tools['choice'], more: Partial<Tools> = {}): Tools => ({
  specs: [
    { name: 'weather', description: 'the weather', parameters },
    { name: 'time', parameters: { properties: { zone: { const: 'UTC' } } } },
  ],
  choice,
  parallel: true,
  ...more,
})
const messages = [{ role: 'user', content: 'How is the weather?' }]
/** Noise likes blanks, and strings without end. */
const sober = Object.fromEntries([
  ...[9, 10, 32].map((blank) => [byteToken(blank), -100]),
  ...[...'"}]'].map((letter) => [byteToken(letter.charCodeAt(0)), 4]),
  ...Array.from({ length: 128 }, (_, byte) => [byteToken(128 + byte), -100]),
])
const drawn = (seed: number): Partial<GenerateCommand> => ({
  messages: [{ role: 'user', content: `weather ${seed * 7919}` }],
  max_tokens: 300,
  sampling: {
    temperature: 1,
    top_k: 0,
    top_p: 1,
    min_p: 0,
    seed,
    logit_bias: { ...sober, [byteToken('w'.charCodeAt(0))]: seed % 4 < 2 ? 0 : -40 },
  },
})

function callsOf({ reports }: Heard): { id: string; name: string; text: string }[] {
  const calls: { id: string; name: string; text: string }[] = []
  const deltas = reports.flatMap((report): readonly CallDelta[] => ('calls' in report ? (report.calls ?? []) : []))
  for (const { index, id = '', name = '', arguments: text } of deltas) {
    const call = calls[index]
    if (call) call.text += text
    else calls[index] = { id, name, text }
  }
  return calls
}

const validator = Schema.Compile(parameters)

test('a required call is a call with arguments as its schema wants them, whatever the model finds likely', async (t) => {
  const { client } = await startTiny(
    t,
    writeTinyModel(join(temporaryFolder(t), 'm.gguf'), { template, context: 1024 }),
    { context: 1024 },
  )
  const names = new Set<string>()
  for (let seed = 0; seed < 12; seed++) {
    const heard = await ask(client, { ...drawn(seed), tools: tools('required', { parallel: seed % 2 === 0 }) })
    const calls = callsOf(heard)
    if (heard.last?.on === 'end' && heard.last.why === 'length') continue // noise likes to go on calling
    assert.equal(heard.text, '')
    assert(calls.length >= 1 && (seed % 2 === 0 || calls.length === 1))
    for (const { id, name, text } of calls) {
      names.add(name)
      assert.match(id, /^call_[A-Za-z0-9]{24}$/)
      if (name === 'weather') assert(validator.Check(JSON.parse(text)), text)
      else assert.match(text, /^\{\s*("zone"\s*:\s*"UTC"\s*)?\}$/)
    }
  }
  assert.deepEqual([...names].sort(), ['time', 'weather'])
  const named = await ask(client, { ...drawn(99), tools: tools({ name: 'weather' }) })
  assert.deepEqual(
    callsOf(named).map(({ name }) => name),
    ['weather'],
  )
})

/** After a prompt it opens a call, and after a closed one it ends, however that was written. */
const closed = new Set([OWN + 1, byteToken('>'.charCodeAt(0))])
const opening = (token: number): number => (token === byteToken(10) ? OWN : closed.has(token) ? EOS : token)

test('a model that calls of itself is held to the schema within the call and free without', async (t) => {
  const own = ['<tool_call>', '</tool_call>']
  const file = writeTinyModel(join(temporaryFolder(t), 'm.gguf'), { template, own, next: opening, context: 1024 })
  const { client } = await startTiny(t, file, { context: 1024 })
  const sampling = { temperature: 0, logit_bias: sober }
  const heard = await ask(client, {
    messages,
    sampling,
    tools: tools('auto', { specs: [{ name: 'weather', parameters, strict: true }] }),
  })
  assert(heard.last?.on === 'end' && heard.last.why === 'stop', JSON.stringify(heard.last))
  const [call, ...more] = callsOf(heard)
  assert(call && more.length === 0)
  assert.equal(call.name, 'weather')
  assert(validator.Check(JSON.parse(call.text)), call.text)
  assert.equal(heard.text, '')
  assert.equal(heard.tokens, heard.count?.output)
  const alone = await ask(client, {
    messages,
    sampling,
    tools: tools('auto', { parallel: false, specs: [{ name: 'weather', parameters }] }),
  })
  assert.equal(callsOf(alone).length, 1)
  assert((alone.count?.output ?? 0) < (heard.count?.output ?? 0), 'it ends with the call, not with the model')
})

test('what was called and answered is in the prompt; where a template has no tools that is said', async (t) => {
  const folder = temporaryFolder(t)
  const { client } = await startTiny(t, writeTinyModel(join(folder, 'm.gguf'), { template, context: 1024 }), {
    context: 1024,
  })
  const turns = (text: string) => [
    ...messages,
    { role: 'assistant', content: '', tool_calls: [{ id: 'call_1', name: 'weather', arguments: text }] },
    { role: 'tool', content: 'rain', tool_call_id: 'call_1' },
  ]
  const size = ({ count }: Heard): number => (count?.input_uncached ?? 0) + (count?.cache_read ?? 0)
  const short = await ask(client, { messages: turns('{"city":"Bonn"}'), max_tokens: 1 })
  const long = await ask(client, { messages: turns('{"city":"Bonn","days":7}'), max_tokens: 1 })
  assert.equal(size(long) - size(short), ', "days": 7'.length)

  const special = await ask(client, { messages: turns('{"city":"<|im_end|>"}'), max_tokens: 1 })
  assert(special.last?.on === 'fail' && special.last.fault === 'bad_request')
  const both = await ask(client, { messages, tools: tools('auto'), grammar: 'root ::= "x"' })
  assert(both.last?.on === 'fail' && both.last.fault === 'unsupported')

  const { client: plain } = await startTiny(t, writeTinyModel(join(folder, 'plain.gguf')))
  for (const command of [{ messages, tools: tools('auto') }, { messages: turns('{}') }]) {
    const { last } = await ask(plain, command)
    assert(last?.on === 'fail' && last.fault === 'unsupported' && last.message.includes('template'))
  }
})
