/**
 * node-llama-cpp behind the `EngineModel` port: this file and `lane.ts` alone know it.
 *
 * Tokens are branded numbers there and plain ones here; they are cast at this border and nowhere else.
 */
import { getLlama, type Llama, type LlamaContext, LlamaLogLevel, type LlamaModel, type Token } from 'node-llama-cpp'
import { isEmbedder, prepareEmbedder } from './embedding-model.ts'
import { readGguf } from './gguf.ts'
import { lane } from './lane.ts'
import { keepRowsInOrder } from './row-order.ts'
import type { EmbeddingModel, EngineModel } from './sequence.ts'
import { tokenBytes } from './token-bytes.ts'

export interface ModelConfig {
  readonly slots: number
  readonly threads: number
  /** Context of one sequence, at most: memory is `slots` × this, whatever the model was trained on. */
  readonly context: number
  readonly batch: number
}

export interface Runtime {
  readonly llama: Llama
  /** What llama.cpp said last of what went wrong: its calls only answer that they failed. */
  complaint: string
}

/** Loads the prebuilt llama.cpp; never builds or downloads one. */
export async function loadLlama(threads: number, gpu: 'auto' | false): Promise<Runtime> {
  const runtime = { complaint: '' }
  const llama = await getLlama({
    build: 'never',
    skipDownload: true,
    progressLogs: false,
    gpu,
    // ggml's threads wait for each other by spinning: one more than there are cores can stall a step for seconds.
    maxThreads: threads,
    logLevel: LlamaLogLevel.error,
    logger: (_, message) => {
      if (runtime.complaint === '') runtime.complaint = message.trim()
      console.error(`llama.cpp: ${message.trim()}`)
    },
  })
  return Object.assign(runtime, { llama })
}

/** Rejects with a reason fit for a person; then nothing is left loaded. */
export async function openModel(
  runtime: Runtime,
  path: string,
  config: ModelConfig,
): Promise<EngineModel | EmbeddingModel> {
  runtime.complaint = ''
  try {
    readGguf(path)
    const model = await runtime.llama.loadModel({ modelPath: path })
    return await (isEmbedder(model) ? prepareEmbedder(model, config) : prepare(model, config))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(runtime.complaint ? `${reason} (${runtime.complaint})` : reason, { cause: error })
  }
}

/** A model that makes text, and no other. */
export async function loadModel(runtime: Runtime, path: string, config: ModelConfig): Promise<EngineModel> {
  const model = await openModel(runtime, path, config)
  if (model.makes === 'text') return model
  await model.dispose()
  throw new Error('this model makes vectors, and no text')
}

async function prepare(model: LlamaModel, config: ModelConfig): Promise<EngineModel> {
  try {
    const contextLength = Math.min(model.trainContextSize || config.context, config.context)
    const context = await model.createContext({
      sequences: config.slots,
      contextSize: contextLength,
      batchSize: config.batch,
      threads: config.threads,
      flashAttention: flashAttention(model),
      swaFullCache: true, // else a cut in a sliding-window cache is evaluated again, and cache_read would not be what it says
      failedCreationRemedy: false, // a smaller context than promised is a surprise, not a remedy
    })
    keepRowsInOrder(context)
    const engine = wrap(model, context, contextLength, config.slots)
    await warm(engine)
    return engine
  } catch (error) {
    await model.dispose()
    throw error
  }
}

/**
 * Off for small heads on a CPU, else llama.cpp's choice. Four sequences, one thread, decode tokens/s on, off: heads of 32 with
 * short contexts 6,100, 4,900 and with 2,500 tokens held 110, 430; heads of 128 830, 810 and 160, 200. Prefill loses a third.
 * Small models are there to decode much at little cost, and a full context must not make them fifty times slower.
 */
function flashAttention(model: LlamaModel): 'auto' | false {
  const { embedding_length: width = 0, attention } = model.fileInfo.architectureMetadata
  const heads = typeof attention?.head_count === 'number' ? attention.head_count : 1
  const size = attention?.key_length ?? width / heads
  return model.llama.gpu === false && size < 64 ? false : 'auto'
}

/** The first evaluation allocates and pages in: nobody's request should wait for it. */
async function warm(model: EngineModel): Promise<void> {
  const [sequence] = model.sequences
  await sequence?.first([model.begin ?? 0], {
    sampling: { temperature: 0 },
  })
  await sequence?.stop()
  await sequence?.keep(0)
}

function wrap(model: LlamaModel, context: LlamaContext, contextLength: number, slots: number): EngineModel {
  const { tokens } = model
  const { ggml } = model.fileInfo.metadata.tokenizer ?? {}
  const vocabulary = { model: ggml?.model ?? '', tokens: ggml?.tokens ?? [], types: ggml?.token_type ?? [] }
  return {
    makes: 'text',
    contextLength,
    parameters: model.fileInsights.totalParameters,
    sequences: Array.from({ length: slots }, () => lane(model, context.getSequence())),
    bytesOf: (token) => tokenBytes(vocabulary, token),
    vocabulary: vocabulary.tokens.length,
    tokenise: (text, as) => model.tokenize(text, as !== 'plain', as === 'whole' ? undefined : 'trimLeadingSpace'),
    detokenise: (list, before, special = false) =>
      model.detokenize([...list] as Token[], special, [...before] as Token[]),
    isEnd: (token) => model.isEogToken(token as Token),
    begin: tokens.shouldPrependBosToken ? (tokens.bos ?? undefined) : undefined,
    template: model.fileInfo.metadata.tokenizer?.chat_template,
    beginText: tokens.bosString ?? '',
    endText: tokens.eosString ?? '',
    specialTexts: specialTexts(model),
    dispose: () => model.dispose(),
  }
}

/** GGUF token types 2 (unknown) and 3 (control): what llama.cpp makes of text only when told to parse special tokens. */
function specialTexts(model: LlamaModel): readonly string[] {
  const list = model.fileInfo.metadata.tokenizer?.ggml
  const types: readonly number[] = list?.token_type ?? []
  const texts = (list?.tokens ?? []).filter((_, token) => types[token] === 2 || types[token] === 3)
  const { bosString, eosString, eotString } = model.tokens
  return [...new Set([...texts, bosString ?? '', eosString ?? '', eotString ?? ''])].filter((text) => text !== '')
}
