/** Models that make vectors of texts, through node-llama-cpp. */
import type { LlamaModel, Token } from 'node-llama-cpp'
import type { EmbeddingModel } from './sequence.ts'

/** `pooling_type` of GGUF: how the vectors of a text's tokens become one. */
const [NO_POOLING, RANK] = [0, 4]

/**
 * A file that says how its vectors are pooled, or that its tokens see later ones, was made for vectors. The last hidden
 * state of any other model is a vector too, and a poor one: it is not given as if it were meant.
 */
export function isEmbedder(model: LlamaModel): boolean {
  const { pooling_type = NO_POOLING, attention } = metadata(model)
  return pooling_type !== NO_POOLING || attention?.causal === false
}

interface Pooled {
  readonly pooling_type?: number
  readonly attention?: { readonly causal?: boolean }
}
const metadata = (model: LlamaModel): Pooled => model.fileInfo.architectureMetadata as Pooled

/** Rejects with the model disposed. */
export async function prepareEmbedder(
  model: LlamaModel,
  config: { readonly context: number; readonly threads: number },
): Promise<EmbeddingModel> {
  try {
    if (metadata(model).pooling_type === RANK) throw new Error('a reranking model makes neither text nor vectors')
    const contextLength = Math.min(model.trainContextSize || config.context, config.context)
    const context = await model.createEmbeddingContext({
      contextSize: contextLength,
      batchSize: contextLength, // pooling needs a text's tokens in one batch
      threads: config.threads,
    })
    const embedder: EmbeddingModel = {
      makes: 'vectors',
      contextLength: contextLength - 1, // node-llama-cpp keeps one
      parameters: model.fileInsights.totalParameters,
      dimensions: model.embeddingVectorSize,
      vocabulary: model.fileInfo.metadata.tokenizer?.ggml?.tokens?.length ?? 0,
      tokenise: (text) => model.tokenize(text),
      size: (tokens) => context.calculateInputLength([...tokens] as Token[]),
      async embed(tokens) {
        const { vector } = await context.getEmbeddingFor([...tokens] as Token[])
        return unit(vector)
      },
      dispose: () => model.dispose(),
    }
    await embedder.embed([0])
    return embedder
  } catch (error) {
    await model.dispose()
    throw error
  }
}

/** OpenAI's vectors have length one, so that a product is a cosine; a vector of zeros stays one. */
function unit(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector) || 1
  return Float32Array.from(vector, (value) => value / length)
}
