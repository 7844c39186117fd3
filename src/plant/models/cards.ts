/**
 * Well-known open models, restated from their published configurations (config.json on Hugging Face, read in the copies
 * that github.com/ai-dynamo/aiconfigurator@095f58a keeps). Layers for multi-token prediction and vision are not counted.
 */
import { type Attention, type FeedForward, type Mixture, type ModelCard, weightFormats } from './card.ts'

const { bf16, fp8, mxfp4, int4 } = weightFormats

const grouped = (layers: number, heads: number, kvHeads: number, headWidth = 128): Attention => ({
  kind: 'grouped',
  heads,
  kvHeads,
  headWidth,
  fullLayers: layers,
  windowLayers: 0,
  window: 0,
})

/** Every other layer looks back through a window. */
const alternating = (layers: number, window: number, heads: number, kvHeads: number, headWidth: number): Attention => ({
  kind: 'grouped',
  heads,
  kvHeads,
  headWidth,
  fullLayers: layers / 2,
  windowLayers: layers / 2,
  window,
})

const latent = (heads: number, queryRank: number, plainWidth = 128, valueWidth = 128): Attention => ({
  kind: 'latent',
  heads,
  queryRank,
  kvRank: 512,
  ropeWidth: 64,
  plainWidth,
  valueWidth,
})

const dense = (layers: number, inner: number): FeedForward => ({ dense: { layers, inner }, mixture: null })

const mixture = (of: Mixture, first: FeedForward['dense'] = { layers: 0, inner: 0 }): FeedForward => ({
  dense: first,
  mixture: of,
})

const card = (
  id: string,
  [layers, hidden, vocabulary, contextWindow]: readonly [number, number, number, number],
  attention: Attention,
  feedForward: FeedForward,
  rest: { readonly published?: ModelCard['published']; readonly tied?: true } = {},
): ModelCard => ({
  id,
  layers,
  hidden,
  vocabulary,
  contextWindow,
  tied: rest.tied ?? false,
  attention,
  feedForward,
  published: rest.published ?? bf16,
  source: `huggingface.co/${id} config.json`,
})

export const models: readonly ModelCard[] = [
  card('meta-llama/Llama-3.1-8B', [32, 4096, 128_256, 131_072], grouped(32, 32, 8), dense(32, 14_336)),
  card('meta-llama/Llama-3.1-70B', [80, 8192, 128_256, 131_072], grouped(80, 64, 8), dense(80, 28_672)),
  card('meta-llama/Llama-3.1-405B', [126, 16_384, 128_256, 131_072], grouped(126, 128, 8), dense(126, 53_248)),
  card('Qwen/Qwen3-0.6B', [28, 1024, 151_936, 40_960], grouped(28, 16, 8), dense(28, 3072), { tied: true }),
  card('Qwen/Qwen3-8B', [36, 4096, 151_936, 40_960], grouped(36, 32, 8), dense(36, 12_288)),
  card('Qwen/Qwen3-32B', [64, 5120, 151_936, 40_960], grouped(64, 64, 8), dense(64, 25_600)),
  card(
    'Qwen/Qwen3-30B-A3B',
    [48, 2048, 151_936, 40_960],
    grouped(48, 32, 4),
    mixture({ layers: 48, experts: 128, active: 8, inner: 768, sharedInner: 0 }),
  ),
  card(
    'Qwen/Qwen3-235B-A22B',
    [94, 4096, 151_936, 40_960],
    grouped(94, 64, 4),
    mixture({ layers: 94, experts: 128, active: 8, inner: 1536, sharedInner: 0 }),
  ),
  card(
    'Qwen/Qwen3-Coder-480B-A35B-Instruct',
    [62, 6144, 151_936, 262_144],
    grouped(62, 96, 8),
    mixture({ layers: 62, experts: 160, active: 8, inner: 2560, sharedInner: 0 }),
  ),
  card(
    'mistralai/Mixtral-8x7B-v0.1',
    [32, 4096, 32_000, 32_768],
    grouped(32, 32, 8),
    mixture({ layers: 32, experts: 8, active: 2, inner: 14_336, sharedInner: 0 }),
  ),
  card(
    'mistralai/Mixtral-8x22B-v0.1',
    [56, 6144, 32_000, 65_536],
    grouped(56, 48, 8),
    mixture({ layers: 56, experts: 8, active: 2, inner: 16_384, sharedInner: 0 }),
  ),
  card(
    'openai/gpt-oss-20b',
    [24, 2880, 201_088, 131_072],
    alternating(24, 128, 64, 8, 64),
    mixture({ layers: 24, experts: 32, active: 4, inner: 2880, sharedInner: 0 }),
    { published: mxfp4 },
  ),
  card(
    'openai/gpt-oss-120b',
    [36, 2880, 201_088, 131_072],
    alternating(36, 128, 64, 8, 64),
    mixture({ layers: 36, experts: 128, active: 4, inner: 2880, sharedInner: 0 }),
    { published: mxfp4 },
  ),
  card(
    'deepseek-ai/DeepSeek-V3',
    [61, 7168, 129_280, 163_840],
    latent(128, 1536),
    mixture({ layers: 58, experts: 256, active: 8, inner: 2048, sharedInner: 2048 }, { layers: 3, inner: 18_432 }),
    { published: fp8 },
  ),
  card(
    'deepseek-ai/DeepSeek-R1',
    [61, 7168, 129_280, 163_840],
    latent(128, 1536),
    mixture({ layers: 58, experts: 256, active: 8, inner: 2048, sharedInner: 2048 }, { layers: 3, inner: 18_432 }),
    { published: fp8 },
  ),
  card(
    'moonshotai/Kimi-K2-Instruct',
    [61, 7168, 163_840, 131_072],
    latent(64, 1536),
    mixture({ layers: 60, experts: 384, active: 8, inner: 2048, sharedInner: 2048 }, { layers: 1, inner: 18_432 }),
    { published: fp8 },
  ),
  card(
    'moonshotai/Kimi-K2.5',
    [61, 7168, 163_840, 262_144],
    latent(64, 1536),
    mixture({ layers: 60, experts: 384, active: 8, inner: 2048, sharedInner: 2048 }, { layers: 1, inner: 18_432 }),
    { published: int4 },
  ),
  card(
    'MiniMaxAI/MiniMax-M2.5',
    [62, 3072, 200_064, 196_608],
    grouped(62, 48, 8),
    mixture({ layers: 62, experts: 256, active: 8, inner: 1536, sharedInner: 0 }),
    { published: fp8 },
  ),
  // The indexer of its sparse attention (about 0.1 % of the weights) is left out.
  card(
    'zai-org/GLM-5',
    [78, 6144, 154_880, 202_752],
    latent(64, 2048, 192, 256),
    mixture({ layers: 75, experts: 256, active: 8, inner: 2048, sharedInner: 2048 }, { layers: 3, inner: 12_288 }),
  ),
]

/** Instruction-tuned and re-quantised copies have the shape of their base. */
const suffixes = /-(instruct|it|chat|base|thinking|fp8|nvfp4|awq|gptq|bf16|hf|\d{4}|static|pertensor)(?=-|$)/g

const plain = (name: string): string =>
  (name.toLowerCase().split('/').at(-1) ?? '').replace(/^meta-/, '').replace(suffixes, '')

const byName = new Map(models.map((model) => [plain(model.id), model]))

/** By its published name, whoever published it: `nvidia/Llama-3.1-8B-Instruct-FP8` has the shape of Llama-3.1-8B. */
export const findModel = (name: string): ModelCard | undefined => byName.get(plain(name))
