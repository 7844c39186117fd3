import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import OpenAI from 'openai'
import { parseExport } from '../bench/audit/read.ts'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory, until } from '../bench/load/factory.ts'
import { ran, type Surface } from '../bench/matrix/record.ts'
import { createKey, discard } from './factory.ts'

/**
 * Engines that run somewhere already: WATTMILL_ENGINES="vllm=http://127.0.0.1:8000/v1 groq=https://…#env:GROQ_API_KEY". Whatever
 * `engines probe` sees one do, it must do through the gateway too, and its usage must be in the books.
 */
const given = (process.env.WATTMILL_ENGINES ?? '').split(' ').filter(Boolean)
const skip = given.length === 0 && 'no engine is named in WATTMILL_ENGINES'

let factory: Factory
let openai: OpenAI
before(async () => {
  if (skip) return
  factory = await startFactory()
  openai = new OpenAI({ baseURL: `${factory.base}/v1`, apiKey: await createKey(factory), maxRetries: 0 })
})
after(() => discard(factory))

interface Probed {
  readonly metrics: { readonly kind: string; readonly report: Readonly<Record<string, number>> } | null
  readonly survey: {
    readonly findings: readonly { readonly check: string; readonly saw: string }[]
    readonly differences: readonly { readonly check: string }[]
  }
}

if (skip) test('engines that run already', { skip }, () => undefined)

for (const [index, one] of given.entries()) {
  const [, preset = '', url = '', , key] = /^([\w.-]+)=([^#\s]+)(#(\S+))?$/.exec(one) ?? []
  test(`${preset}: what it does, it does through the gateway too`, async () => {
    const name = `given-${index}`
    const keyed = key === undefined ? [] : ['--key-from', key]
    const added = await factory.cli('engines', 'add', name, '--preset', preset, '--url', url, ...keyed, '-o', 'json')
    const [model = ''] = Object.keys((JSON.parse(added) as { models: object }).models)
    const probed = JSON.parse(await factory.cli('engines', 'probe', name, '-o', 'json')) as Probed
    assert.deepEqual(probed.survey.differences, [])
    const saw = Object.fromEntries(probed.survey.findings.map(({ check, saw }) => [check, saw]))
    const what = await versionOf(url)
    const real = (...surfaces: Surface[]): void => {
      for (const surface of surfaces) ran({ engine: preset, surface, how: 'real', what })
    }
    const free = async (): Promise<Probed['metrics']> =>
      (JSON.parse(await factory.cli('engines', 'probe', name, '--free', '-o', 'json')) as Probed).metrics
    const was = await free()

    const content = 'The quick brown fox jumps over the lazy dog. '.repeat(8)
    const ask = { model, messages: [{ role: 'user' as const, content }], temperature: 0, max_tokens: 8 }
    let asked = 0
    const create = (more: object): Promise<OpenAI.ChatCompletion> => {
      asked++
      return openai.chat.completions.create({ ...ask, ...more, stream: false })
    }
    const whole = await create({})
    assert.equal(whole.usage?.completion_tokens, 8)
    real('chat', 'limit of output')

    asked++
    const stream = await openai.chat.completions.create({
      ...ask,
      stream: true,
      stream_options: { include_usage: true },
    })
    let [chunks, usage] = [0, undefined as OpenAI.CompletionUsage | undefined]
    for await (const chunk of stream) {
      chunks += chunk.choices.length
      usage = chunk.usage ?? usage
    }
    assert(chunks > 1)
    assert.deepEqual([usage?.prompt_tokens, usage?.completion_tokens], [whole.usage?.prompt_tokens, 8])
    real('chat stream', 'usage in streams')
    if ((usage?.prompt_tokens_details?.cached_tokens ?? 0) > 0) real('cached tokens')

    if (saw.n === 'yes') {
      assert.equal((await create({ n: 2, temperature: 1 })).choices.length, 2)
      real('n')
    }
    if (saw.logprobs === 'yes') {
      assert.equal((await create({ logprobs: true, top_logprobs: 2 })).choices[0]?.logprobs?.content?.length, 8)
      real('logprobs')
    }
    if (saw.completions === 'yes') {
      asked++
      const text = await openai.completions.create({ model, prompt: 'One', max_tokens: 3, temperature: 0 })
      assert.equal(text.usage?.completion_tokens, 3)
      real('completions')
    }
    if (saw.tools === 'refused') {
      const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }]
      await assert.rejects(create({ tools, tool_choice: 'required' }), (error) => {
        assert(error instanceof OpenAI.BadRequestError, String(error))
        assert.equal(error.code, 'engine_refused')
        return true
      })
      real('errors')
    }

    const booked = await until('all of it was in the books', async () => {
      const { requests } = parseExport(await factory.cli('books', 'export'))
      const mine = requests.filter(({ attempts }) => attempts.some(({ replica }) => replica === name))
      return mine.length >= asked ? mine : undefined
    })
    const is = await free()
    if (!was || !is) return
    const sum = (of: 'input_uncached' | 'cache_read' | 'output_visible' | 'reasoning'): number =>
      booked.reduce((total, { attempts }) => total + (attempts.at(-1)?.usage?.[of]?.tokens ?? 0), 0)
    const cached = is.kind === 'llama.cpp' ? 0 : sum('cache_read') // its counter of prompts leaves them out
    // vLLM counts a prompt once for each of n samples, its usage once.
    const again = preset === 'vllm' && saw.n === 'yes' ? (whole.usage?.prompt_tokens ?? 0) : 0
    const grown = (field: string): number => (is.report[field] ?? 0) - (was.report[field] ?? 0)
    assert.deepEqual(
      { prompt: grown('prompt_tokens'), output: grown('output_tokens') },
      { prompt: sum('input_uncached') + cached + again, output: sum('output_visible') + sum('reasoning') },
    )
    real('metrics page', 'books = its counters')
  })
}

/** vLLM and SGLang tell their version; of others it is not known. */
async function versionOf(url: string): Promise<string> {
  const answer = await fetch(new URL('/version', url)).catch(() => undefined)
  const told: unknown = answer?.ok ? await answer.json().catch(() => undefined) : undefined
  const version = (told as { version?: unknown } | undefined)?.version
  return typeof version === 'string' ? version : 'version not told'
}
