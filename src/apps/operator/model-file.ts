import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { GgufError, type GgufHeader, readGgufHeader } from '../../lines/models/gguf.ts'
import { ControlError } from './errors.ts'

export interface CheckedFile {
  readonly bytes: number
  readonly header: GgufHeader
}

/** The vocabulary of a large model makes some 10 MB of header; a hundred is no header. */
const mostHeader = 128 * 1024 * 1024

/** Reads as much of the file as its header takes, and refuses what is no whole GGUF model, with the reason. */
export async function checkModelFile(path: string): Promise<CheckedFile> {
  const found = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')
      throw new ControlError('not_found', `there is no file ${path}`, { param: 'path', next: 'Check the path.' })
    throw cause
  })
  if (!found.isFile())
    throw new ControlError('model_file_invalid', `${path} is no file`, { param: 'path', next: 'Name a .gguf file.' })
  const header = await headerOf(path, found.size)
  if (found.size < header.expectedBytes)
    throw invalid(path, `is cut off: ${found.size} bytes of ${header.expectedBytes}`)
  return { bytes: found.size, header }
}

async function headerOf(path: string, fileBytes: number): Promise<GgufHeader> {
  const file = await open(path)
  try {
    for (let size = Math.min(fileBytes, 1024 * 1024); ; ) {
      const bytes = Buffer.alloc(size)
      const { bytesRead } = await file.read(bytes, 0, size, 0)
      try {
        return readGgufHeader(bytes.subarray(0, bytesRead), fileBytes)
      } catch (cause) {
        if (!(cause instanceof GgufError)) throw cause
        const more = Math.min(fileBytes, Math.max(size * 2, cause.atLeast ?? 0))
        if (cause.fault !== 'needs_more' || more > mostHeader || more <= size)
          throw invalid(path, `is no GGUF model we can read: ${cause.message}`)
        size = more
      }
    }
  } finally {
    await file.close()
  }
}

const invalid = (path: string, why: string): ControlError =>
  new ControlError('model_file_invalid', `${basename(path)} ${why}`, { param: 'path' })

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
