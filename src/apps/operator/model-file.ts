import { createHash } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { basename } from 'node:path'
import { type GgufFile, readGguf } from '../../adapters/llama/gguf.ts'
import { GgufError } from '../../lines/models/gguf.ts'
import { ControlError } from './errors.ts'

/** Refuses what is no whole GGUF model, with the reason. */
export function checkModelFile(path: string): GgufFile {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found)
    throw new ControlError('not_found', `there is no file ${path}`, { param: 'path', next: 'Check the path.' })
  if (!found.isFile())
    throw new ControlError('model_file_invalid', `${path} is no file`, { param: 'path', next: 'Name a .gguf file.' })
  try {
    return readGguf(path)
  } catch (cause) {
    if (!(cause instanceof GgufError)) throw cause
    const message = `${basename(path)} is no GGUF model we can read: ${cause.message}`
    throw new ControlError('model_file_invalid', message, { param: 'path', cause })
  }
}

/** Names the weights for ever, wherever the file lies. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(path, { highWaterMark: 1024 * 1024 })) hash.update(part as Buffer)
  return hash.digest('hex')
}

/** `Qwen3-0.6B-Q8_0.gguf` → `Qwen3-0.6B-Q8_0`: a name until somebody gives a better one. */
export const nameOf = (path: string): string =>
  basename(path)
    .replace(/\.gguf$/i, '')
    .replace(/[^A-Za-z0-9._:-]+/g, '-')
    .slice(0, 100)
