/** How much memory a model will take, from its file and before it is loaded; and how much there is for models. */
import { totalmem } from 'node:os'
import { GgufInsights, readGgufFileInfo } from 'node-llama-cpp'
import { readGguf } from './gguf.ts'
import type { ModelConfig, Runtime } from './model.ts'

/**
 * Weights + KV cache of all sequences + buffers of a batch, as llama.cpp would allocate them: on the CPU and the GPU together,
 * with all layers on the GPU where there is one. Throws when the file is no model.
 */
export async function estimatedBytes({ llama }: Runtime, path: string, config: ModelConfig): Promise<number> {
  readGguf(path)
  const file = await readGgufFileInfo(path, { sourceType: 'filesystem', logWarnings: false })
  const insights = await GgufInsights.from(file, llama)
  const gpuLayers = llama.gpu === false ? 0 : insights.totalLayers
  const weights = await insights.estimateModelResourceRequirementsV2({ gpuLayers })
  const context = await insights.estimateContextResourceRequirementsV2({
    contextSize: Math.min(insights.trainContextSize || config.context, config.context),
    modelGpuLayers: gpuLayers,
    batchSize: config.batch,
    sequences: config.slots,
    swaFullCache: true,
  })
  return weights.cpuRam + weights.gpuVram + context.cpuRam + context.gpuVram
}

/** Of the machine's memory: the rest is for the gateways, the system and its file cache. Of a GPU's: for its driver. */
const [SHARE_OF_MACHINE, SHARE_OF_GPU] = [0.6, 0.9]

/** What models may take together; `mib` 0: a share of what there is. A container's limit counts as the machine's memory. */
export async function memoryBudget({ llama }: Runtime, mib: number): Promise<number> {
  if (mib > 0) return mib * 1024 * 1024
  if (llama.gpu !== false) return SHARE_OF_GPU * (await llama.getVramState()).total
  const limit = process.constrainedMemory() || totalmem()
  return SHARE_OF_MACHINE * Math.min(limit, totalmem())
}
