import { type Dirent, readdirSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export interface FoundFile {
  readonly path: string
  readonly bytes: number
}

/** Folders inside folders that are looked into: Hugging Face's cache needs four (models--x/snapshots/hash/file). */
const deepest = 4
/** Entries looked at in all: a home full of other things must not make the first start slow. */
const mostEntries = 5_000
/** What is worth printing. */
const mostFiles = 10

/** Where GGUF files lie that other programs have fetched. Ollama's are blobs without a name, so they are not looked for. */
export const usualFolders = (env: NodeJS.ProcessEnv = process.env, user = homedir()): string[] => [
  env.HF_HUB_CACHE ?? join(env.HF_HOME ?? join(user, '.cache', 'huggingface'), 'hub'),
  join(user, '.lmstudio', 'models'),
  join(user, '.cache', 'lm-studio', 'models'),
  env.LLAMA_CACHE ?? join(user, '.cache', 'llama.cpp'),
  join(user, 'Library', 'Caches', 'llama.cpp'),
  join(user, 'models'),
]

/** GGUF model files in their usual folders, breadth first; bounded, so that it takes milliseconds wherever it is run. */
export function findModelFiles(folders: readonly string[] = usualFolders()): FoundFile[] {
  const found: FoundFile[] = []
  let level: string[] = [...folders]
  let seen = 0
  for (let depth = 0; depth <= deepest && level.length > 0; depth++) {
    const next: string[] = []
    for (const folder of level) {
      for (const entry of entriesOf(folder)) {
        if (++seen > mostEntries || found.length >= mostFiles) return found
        const path = join(folder, entry.name)
        if (entry.isDirectory()) next.push(path)
        else if (isModel(entry.name)) found.push(...sized(path))
      }
    }
    level = next
  }
  return found
}

/** Of a model in parts only the first is named; vision projectors are no models. */
function isModel(name: string): boolean {
  const part = /-(\d{5})-of-\d{5}\.gguf$/i.exec(name)?.[1]
  return /\.gguf$/i.test(name) && !/mmproj/i.test(name) && (part === undefined || part === '00001')
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return [] // not there, or not ours to read
  }
}

/** Hugging Face's files are links into its store; a link that leads nowhere is no file. */
function sized(path: string): FoundFile[] {
  const file = statSync(path, { throwIfNoEntry: false })
  return file?.isFile() ? [{ path, bytes: file.size }] : []
}
