/** A checkpoint as a file: safetensors, with where the run stands and which job it is of in the metadata. */
import { readSafetensors, writeSafetensors } from './safetensors.ts'
import type { Checkpoint, Tensor, TrainJob, Weights } from './train.ts'

const counts = ['step', 'epoch', 'batch', 'draws', 'seconds', 'cpuSeconds'] as const
const parts = ['params', 'mean', 'square'] as const

export function packCheckpoint(checkpoint: Checkpoint, job: string): Uint8Array {
  const tensors = parts.flatMap((part) =>
    Object.entries(checkpoint[part]).map(([name, tensor]) => [`${part}.${name}`, tensor] as const),
  )
  const numbers = counts.map((name) => [name, String(checkpoint[name])] as const)
  return writeSafetensors(Object.fromEntries(tensors), { ...Object.fromEntries(numbers), job })
}

/** Undefined when it is of another job. Throws when it is no checkpoint. */
export function unpackCheckpoint(file: Uint8Array, job: string): Checkpoint | undefined {
  const { weights, metadata } = readSafetensors(file)
  if (metadata.job !== job) return undefined
  const [params, mean, square] = parts.map((part): Weights => {
    const mine = Object.entries(weights).filter(([name]) => name.startsWith(`${part}.`))
    return Object.fromEntries(mine.map(([name, tensor]): [string, Tensor] => [name.slice(part.length + 1), tensor]))
  }) as [Weights, Weights, Weights]
  const number = (name: (typeof counts)[number]): number => Number(metadata[name])
  return {
    step: number('step'),
    epoch: number('epoch'),
    batch: number('batch'),
    draws: number('draws'),
    seconds: number('seconds'),
    cpuSeconds: number('cpuSeconds'),
    params,
    mean,
    square,
  }
}

/** What names a job: whoever trains other messages, another shape or recipe starts from the beginning. */
export const jobName = ({ from: _, ...job }: TrainJob, digest: (text: string) => string): string =>
  digest(JSON.stringify(job))
