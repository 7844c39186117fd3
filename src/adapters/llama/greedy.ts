/** Greedy answers of the engine itself, one after the other: what an exported model is checked against before it is published. */
import { getLlama, LlamaLogLevel } from 'node-llama-cpp'

export interface GreedyAnswers {
  readonly answers: readonly string[]
  readonly cpuSeconds: number
}

/** Prompts are taken with their special tokens parsed; an answer ends with the model's end token or after `limit` tokens. */
export async function greedyAnswers(path: string, prompts: readonly string[], limit = 16): Promise<GreedyAnswers> {
  const llama = await getLlama({ build: 'never', gpu: false, maxThreads: 1, logLevel: LlamaLogLevel.error })
  const model = await llama.loadModel({ modelPath: path })
  const context = await model.createContext({ contextSize: Math.min(512, model.trainContextSize), threads: 1 })
  const sequence = context.getSequence()
  const before = process.cpuUsage()
  const answers: string[] = []
  for (const prompt of prompts) {
    await sequence.clearHistory()
    const tokens = []
    for await (const token of sequence.evaluate(model.tokenize(prompt, true), { temperature: 0 })) {
      if (model.isEogToken(token) || tokens.length >= limit) break
      tokens.push(token)
    }
    answers.push(model.detokenize(tokens))
  }
  const used = process.cpuUsage(before)
  await model.dispose()
  await llama.dispose()
  return { answers, cpuSeconds: (used.user + used.system) / 1e6 }
}
