/** What each official SDK can be asked for, whole and streamed: one small request of each kind, whose answer it has parsed itself. */
import assert from 'node:assert/strict'
import { setTimeout as after } from 'node:timers/promises'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic from '@anthropic-ai/sdk'
import { ChatOpenAI, OpenAI as CompletionsOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { embed, generateText, type LanguageModel, streamText } from 'ai'
import OpenAI, { toFile } from 'openai'
import type { Api, Sdk } from '../bench/matrix/record.ts'

export interface Where {
  /** `http://127.0.0.1:PORT` */
  readonly base: string
  readonly key: string
  readonly model: string
  /** Undefined: the engine has no model for embeddings. */
  readonly vectors: string | undefined
}

/** One kind of request. It says what came: some text, and how many tokens its usage told; a failed promise is a broken cell. */
export interface Way {
  readonly sdk: Sdk
  readonly api: Api
  readonly streamed: boolean
  readonly ask: (where: Where) => Promise<Came>
}
export interface Came {
  readonly text: string
  readonly tokens: number | undefined
  /** Pieces of a stream. */
  readonly pieces?: number
}

const prompt = 'My card has not arrived yet, where is it?'
const messages = [{ role: 'user' as const, content: prompt }]
const most = 24

const openai = ({ base, key }: Where) => new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 })
const anthropic = ({ base, key }: Where) => new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0 })
const vectorsOf = ({ vectors }: Where): string => vectors ?? assert.fail('no model for embeddings')

const byOpenai: readonly Omit<Way, 'sdk'>[] = [
  {
    api: 'models',
    streamed: false,
    ask: async (where) => {
      const models = await Array.fromAsync(openai(where).models.list())
      return { text: models.find(({ id }) => id === where.model)?.id ?? '', tokens: undefined }
    },
  },
  {
    api: 'chat',
    streamed: false,
    ask: async (where) => {
      const asked = { model: where.model, messages, max_tokens: most }
      const { choices, usage } = await openai(where).chat.completions.create(asked)
      return { text: choices[0]?.message.content ?? '', tokens: usage?.total_tokens }
    },
  },
  {
    api: 'chat',
    streamed: true,
    ask: async (where) => {
      const asked = { model: where.model, messages, max_tokens: most, stream_options: { include_usage: true } }
      const chunks = await Array.fromAsync(await openai(where).chat.completions.create({ ...asked, stream: true }))
      const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '')
      return { text: text.join(''), tokens: chunks.at(-1)?.usage?.total_tokens, pieces: text.filter(Boolean).length }
    },
  },
  {
    api: 'completions',
    streamed: false,
    ask: async (where) => {
      const asked = { model: where.model, prompt, max_tokens: most }
      const { choices, usage } = await openai(where).completions.create(asked)
      return { text: choices[0]?.text ?? '', tokens: usage?.total_tokens }
    },
  },
  {
    api: 'completions',
    streamed: true,
    ask: async (where) => {
      const asked = { model: where.model, prompt, max_tokens: most, stream_options: { include_usage: true } }
      const chunks = await Array.fromAsync(await openai(where).completions.create({ ...asked, stream: true }))
      const text = chunks.map(({ choices }) => choices[0]?.text ?? '')
      return { text: text.join(''), tokens: chunks.at(-1)?.usage?.total_tokens, pieces: text.filter(Boolean).length }
    },
  },
  {
    api: 'embeddings',
    streamed: false,
    ask: async (where) => {
      const { data, usage } = await openai(where).embeddings.create({ model: vectorsOf(where), input: [prompt] })
      return { text: String(data[0]?.embedding[0] ?? ''), tokens: usage.total_tokens }
    },
  },
  {
    api: 'responses',
    streamed: false,
    ask: async (where) => {
      const asked = { model: where.model, input: prompt, max_output_tokens: most }
      const { output_text, usage } = await openai(where).responses.create(asked)
      return { text: output_text, tokens: usage?.total_tokens }
    },
  },
  {
    api: 'responses',
    streamed: true,
    ask: async (where) => {
      const stream = openai(where).responses.stream({ model: where.model, input: prompt, max_output_tokens: most })
      let pieces = 0
      stream.on('response.output_text.delta', () => pieces++)
      const { output_text, usage } = await stream.finalResponse()
      return { text: output_text, tokens: usage?.total_tokens, pieces }
    },
  },
  { api: 'batches', streamed: false, ask: batch },
]

async function batch(where: Where): Promise<Came> {
  const client = openai(where)
  const body = { model: where.model, messages, max_tokens: most }
  const line = JSON.stringify({ custom_id: 'one', method: 'POST', url: '/v1/chat/completions', body })
  const file = await client.files.create({ file: await toFile(Buffer.from(line), 'one.jsonl'), purpose: 'batch' })
  const asked = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' } as const
  let now = await client.batches.create(asked)
  for (let tries = 0; tries < 300 && now.status !== 'completed'; tries++, await after(100))
    now = await client.batches.retrieve(now.id)
  const text = await (await client.files.content(now.output_file_id ?? '')).text()
  const { response } = JSON.parse(text) as { response: { body: OpenAI.ChatCompletion } }
  return { text: response.body.choices[0]?.message.content ?? '', tokens: response.body.usage?.total_tokens }
}

const textOf = ({ content }: Anthropic.Message): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')
const tokensOf = ({ usage }: Anthropic.Message): number => usage.input_tokens + usage.output_tokens

const byAnthropic: readonly Omit<Way, 'sdk'>[] = [
  {
    api: 'models',
    streamed: false,
    ask: async (where) => ({ text: (await anthropic(where).models.retrieve(where.model)).id, tokens: undefined }),
  },
  {
    api: 'messages',
    streamed: false,
    ask: async (where) => {
      const message = await anthropic(where).messages.create({ model: where.model, messages, max_tokens: most })
      return { text: textOf(message), tokens: tokensOf(message) }
    },
  },
  {
    api: 'messages',
    streamed: true,
    ask: async (where) => {
      const stream = anthropic(where).messages.stream({ model: where.model, messages, max_tokens: most })
      let pieces = 0
      stream.on('text', () => pieces++)
      const message = await stream.finalMessage()
      return { text: textOf(message), tokens: tokensOf(message), pieces }
    },
  },
  {
    api: 'count_tokens',
    streamed: false,
    ask: async (where) => {
      const { input_tokens } = await anthropic(where).messages.countTokens({ model: where.model, messages })
      return { text: String(input_tokens), tokens: input_tokens }
    },
  },
]

/** The same two calls on a model of any provider. */
const byAi = (api: Api, model: (where: Where) => LanguageModel): Omit<Way, 'sdk'>[] => [
  {
    api,
    streamed: false,
    ask: async (where) => {
      const { text, usage } = await generateText({ model: model(where), prompt, maxOutputTokens: most, maxRetries: 0 })
      return { text, tokens: usage.totalTokens }
    },
  },
  {
    api,
    streamed: true,
    ask: async (where) => {
      const wrong: unknown[] = [] // its stream ends without a word
      const onError = ({ error }: { error: unknown }): void => void wrong.push(error)
      const result = streamText({ model: model(where), prompt, maxOutputTokens: most, maxRetries: 0, onError })
      const pieces = await Array.fromAsync(result.textStream)
      if (wrong.length > 0) throw wrong[0]
      return { text: pieces.join(''), tokens: (await result.usage).totalTokens, pieces: pieces.length }
    },
  },
]

const compatible = ({ base, key }: Where) =>
  createOpenAICompatible({ name: 'wattmill', baseURL: `${base}/v1`, apiKey: key, includeUsage: true })
const aiOpenai = ({ base, key }: Where) => createOpenAI({ baseURL: `${base}/v1`, apiKey: key })
const aiAnthropic = ({ base, key }: Where) => createAnthropic({ baseURL: `${base}/v1`, apiKey: key })

const langchain = ({ base, key, model }: Where, more: object = {}) =>
  new ChatOpenAI({
    model,
    apiKey: key,
    maxTokens: most,
    maxRetries: 0,
    configuration: { baseURL: `${base}/v1` },
    ...more,
  })

/** Its type says that there is none. */
const totalOf = (usage: unknown): number | undefined => (usage as { total_tokens: number } | undefined)?.total_tokens

const byLangchain = (api: Api, more: object): Omit<Way, 'sdk'>[] => [
  {
    api,
    streamed: false,
    ask: async (where) => {
      const { text, usage_metadata } = await langchain(where, more).invoke(prompt)
      return { text, tokens: totalOf(usage_metadata) }
    },
  },
  {
    api,
    streamed: true,
    ask: async (where) => {
      const chunks = await Array.fromAsync(await langchain(where, { ...more, streamUsage: true }).stream(prompt))
      const text = chunks.map((chunk) => chunk.text)
      const tokens = chunks.map(({ usage_metadata }) => totalOf(usage_metadata) ?? 0)
      return { text: text.join(''), tokens: Math.max(...tokens), pieces: text.filter(Boolean).length }
    },
  },
]

const langchainText = ({ base, key, model }: Where) =>
  new CompletionsOpenAI({
    model,
    apiKey: key,
    maxTokens: most,
    maxRetries: 0,
    configuration: { baseURL: `${base}/v1` },
  })

export const ways: readonly Way[] = [
  ...byOpenai.map((way): Way => ({ sdk: 'openai', ...way })),
  ...byAnthropic.map((way): Way => ({ sdk: '@anthropic-ai/sdk', ...way })),
  ...[
    ...byAi('chat', (where) => compatible(where)(where.model)),
    ...byAi('completions', (where) => compatible(where).completionModel(where.model)),
    ...byAi('responses', (where) => aiOpenai(where).responses(where.model)),
    ...byAi('messages', (where) => aiAnthropic(where)(where.model)),
    {
      api: 'embeddings' as const,
      streamed: false,
      ask: async (where: Where) => {
        const model = compatible(where).embeddingModel(vectorsOf(where))
        const { embedding, usage } = await embed({ model, value: prompt, maxRetries: 0 })
        return { text: String(embedding[0] ?? ''), tokens: usage.tokens }
      },
    },
  ].map((way): Way => ({ sdk: 'ai', ...way })),
  ...[
    ...byLangchain('chat', {}),
    ...byLangchain('responses', { useResponsesApi: true }),
    {
      api: 'completions' as const,
      streamed: false,
      ask: async (where: Where) => ({ text: await langchainText(where).invoke(prompt), tokens: undefined }),
    },
    {
      api: 'completions' as const,
      streamed: true,
      ask: async (where: Where) => {
        const pieces = await Array.fromAsync(await langchainText(where).stream(prompt))
        return { text: pieces.join(''), tokens: undefined, pieces: pieces.filter(Boolean).length }
      },
    },
    {
      api: 'embeddings' as const,
      streamed: false,
      ask: async (where: Where) => {
        const { base, key } = where
        const configuration = { baseURL: `${base}/v1` }
        const embeddings = new OpenAIEmbeddings({ model: vectorsOf(where), apiKey: key, maxRetries: 0, configuration })
        return { text: String((await embeddings.embedQuery(prompt))[0] ?? ''), tokens: undefined }
      },
    },
  ].map((way): Way => ({ sdk: '@langchain/openai', ...way })),
]
