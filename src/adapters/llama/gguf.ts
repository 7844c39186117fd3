/**
 * Is this file a whole GGUF model? Asked before node-llama-cpp reads it.
 *
 * Its reader takes what lies beyond the end of a file for zeros, so a damaged count makes it read for ever and the host
 * with it; and llama.cpp ends the process on shapes that it thinks cannot be.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { GgufError, type GgufHeader, readGgufHeader } from '../../lines/models/gguf.ts'

export interface GgufFile {
  readonly bytes: number
  readonly header: GgufHeader
}

/** The vocabulary of a large model makes some 10 MB of header; a hundred is no header. */
const mostHeader = 128 * 1024 * 1024

/** Reads as much of the file as its header takes; a `GgufError` says why it is no model. */
export function readGguf(path: string): GgufFile {
  const file = openSync(path, 'r')
  try {
    const bytes = fstatSync(file).size
    const header = headerOf(file, bytes)
    if (bytes >= header.expectedBytes) return { bytes, header }
    throw new GgufError('truncated', `ends after ${bytes} of ${header.expectedBytes} bytes`, header.expectedBytes)
  } finally {
    closeSync(file)
  }
}

function headerOf(file: number, fileBytes: number): GgufHeader {
  for (let size = Math.min(fileBytes, 1024 * 1024); ; ) {
    const bytes = Buffer.alloc(size)
    const read = readSync(file, bytes, 0, size, 0)
    try {
      return readGgufHeader(bytes.subarray(0, read), fileBytes)
    } catch (cause) {
      if (!(cause instanceof GgufError) || cause.fault !== 'needs_more') throw cause
      const more = Math.min(fileBytes, Math.max(size * 2, cause.atLeast ?? 0))
      if (more > mostHeader || more <= size) throw cause
      size = more
    }
  }
}
