/** Where a model file is to be had: an address, or a name at a hub. */

export type Source =
  | { readonly kind: 'url'; readonly url: URL; readonly file: string }
  | {
      readonly kind: 'hub'
      readonly endpoint: URL
      /** As in `Qwen/Qwen3-0.6B-GGUF`. */
      readonly repo: string
      readonly revision: string
      /** A file in it, or a part of a file's name such as `Q4_K_M`; undefined: its only GGUF file. */
      readonly file: string | undefined
    }

/** Words for what is no source. */
export class NoSource extends Error {
  override readonly name = 'NoSource'
}

/** The hub that `hf:` means. Mirrors are named by HF_ENDPOINT, as its own tools have it. */
export const usualEndpoint = 'https://huggingface.co'

/**
 * @example
 * parseSource('https://example.com/models/tiny.gguf', usualEndpoint)
 * parseSource('hf:Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf', usualEndpoint)
 * parseSource('hf:Qwen/Qwen3-0.6B-GGUF:Q8_0', usualEndpoint)
 */
export function parseSource(text: string, endpoint: string): Source {
  if (/^https?:\/\//i.test(text)) return atAddress(text)
  const named = /^hf:(?:\/\/)?([\w.-]+\/[\w.-]+?)(?:@([\w./-]+?))?(?:\/([^:@]+\.gguf)|:([\w.-]+))?$/i.exec(text)
  if (!named)
    throw new NoSource(`${text} is neither https://…/FILE.gguf nor hf:ORG/REPO/FILE.gguf (or hf:ORG/REPO:Q4_K_M)`)
  const [, repo = '', revision = 'main', file, part] = named
  return { kind: 'hub', endpoint: new URL(endpoint), repo, revision, file: file ?? part }
}

function atAddress(text: string): Source {
  if (!URL.canParse(text)) throw new NoSource(`${text} is no address`)
  const url = new URL(text)
  if (url.username || url.password) throw new NoSource('an address may not hold a password: use --key-from')
  const file = fileName(url.pathname)
  if (!/\.gguf$/i.test(file)) throw new NoSource(`${url.pathname} does not end in .gguf`)
  return { kind: 'url', url, file }
}

/** The last part of a path, as a name that is safe on every disk. */
export function fileName(path: string): string {
  const last = path.slice(path.lastIndexOf('/') + 1)
  const plain = last.includes('%') ? decoded(last) : last
  return plain
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^\.+/, '')
    .slice(-200)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
