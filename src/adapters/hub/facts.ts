/** What is known of a file before it is downloaded: its size, hash and licence, from the hub and from its own first bytes. */
import { type GgufValue, readGgufBeginning } from '../../lines/models/gguf.ts'
import { isObject } from '../../units/json.ts'
import { type Answer, type Asking, FetchError, follow, header } from './follow.ts'
import { fileName, NoSource, type Source } from './source.ts'

export interface Facts {
  readonly url: URL
  readonly file: string
  readonly bytes: number
  /** Told by the hub; undefined: nobody says, and only the caller can. */
  readonly sha256: string | undefined
  /** What names this state of the file at its address: it is gone on with only while this stays. */
  readonly identity: string | undefined
  /** The licence's short name, and who says so; undefined: nobody does. */
  readonly licence: { readonly name: string; readonly from: 'hub' | 'file' } | undefined
  readonly architecture: string | undefined
  /** The hub's commit. */
  readonly revision: string | undefined
  /** The other side can go on in the middle. */
  readonly resumable: boolean
}

/** Enough for the general part of a GGUF header, which stands at its beginning. */
const PEEK = 256 * 1024

export async function factsOf(source: Source, asking: Asking): Promise<Facts> {
  if (source.kind === 'url') return peek(source.url, source.file, undefined, asking)
  const { file, licence } = await inRepository(source, asking)
  const path = `${source.repo}/resolve/${source.revision}/${file.split('/').map(encodeURIComponent).join('/')}`
  return peek(new URL(path, `${source.endpoint.href.replace(/\/*$/, '')}/`), fileName(file), licence, asking)
}

async function peek(url: URL, file: string, licence: string | undefined, asking: Asking): Promise<Facts> {
  if (/-\d{5}-of-\d{5}\.gguf$/i.test(file))
    throw new NoSource(`${file} is one of several parts: join them with llama-gguf-split --merge, then models add`)
  const answer = await follow(url, { ...asking, headers: { range: `bytes=0-${PEEK - 1}` } })
  try {
    if (answer.status !== 206 && answer.status !== 200) throw refusedBy(url, answer.status)
    const bytes = sizeOf(answer)
    const metadata = readGgufBeginning(await beginning(answer, Math.min(PEEK, bytes)))
    return { url, file, bytes, resumable: answer.status === 206, ...namesOf(answer), ...said(metadata, licence) }
  } finally {
    answer.close()
  }
}

const text = (value: GgufValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

function said(metadata: ReadonlyMap<string, GgufValue>, licence: string | undefined) {
  const own = text(metadata.get('general.license'))
  return {
    architecture: text(metadata.get('general.architecture')),
    licence: licence
      ? ({ name: licence, from: 'hub' } as const)
      : own
        ? ({ name: own, from: 'file' } as const)
        : undefined,
  }
}

/** A hub names the file's own hash beside the redirect; a plain server has an entity tag, or at least a date. */
function namesOf({ headers, first }: Answer) {
  const linked = tag(header(first, 'x-linked-etag'))
  const sha256 = linked && /^[0-9a-f]{64}$/i.test(linked) ? linked.toLowerCase() : undefined
  const etag = header(headers, 'etag')
  const strong = etag?.startsWith('W/') ? undefined : etag
  return {
    sha256,
    identity: sha256 ?? strong ?? header(headers, 'last-modified'),
    revision: header(first, 'x-repo-commit'),
  }
}

const tag = (value: string | undefined): string | undefined => value?.replace(/^W\//, '').replaceAll('"', '')

function sizeOf({ status, headers, first }: Answer): number {
  const range = /\/(\d+)$/.exec(header(headers, 'content-range') ?? '')?.[1]
  const told = status === 206 ? range : (header(first, 'x-linked-size') ?? header(headers, 'content-length'))
  const size = Number(told)
  if (told === undefined || !Number.isSafeInteger(size) || size <= 0)
    throw new FetchError('the other side does not say how large the file is')
  return size
}

async function beginning({ body }: Answer, most: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body as AsyncIterable<Buffer>) {
    parts.push(part)
    size += part.length
    if (size >= most) break
  }
  return Buffer.concat(parts)
}

/** Lists of files of the largest repositories are below a megabyte. */
const mostListed = 8 * 1024 * 1024

async function inRepository(
  { endpoint, repo, revision, file }: Source & { kind: 'hub' },
  asking: Asking,
): Promise<{ readonly file: string; readonly licence: string | undefined }> {
  const url = new URL(`api/models/${repo}/revision/${revision}`, `${endpoint.href.replace(/\/*$/, '')}/`)
  const answer = await follow(url, asking)
  try {
    if (answer.status !== 200) throw refusedBy(url, answer.status)
    const body: unknown = JSON.parse((await beginning(answer, mostListed)).toString())
    const { siblings, cardData } = isObject(body) ? body : {}
    const files = Array.isArray(siblings) ? siblings.map((one) => (isObject(one) ? String(one.rfilename) : '')) : []
    const { license, license_name } = isObject(cardData) ? cardData : {}
    const named = license === 'other' && typeof license_name === 'string' ? license_name : license
    return {
      file: chosen(
        repo,
        files.filter((one) => /\.gguf$/i.test(one)),
        file,
      ),
      licence: text(named as GgufValue),
    }
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new FetchError(`${url.host} answered something else than JSON`, { cause })
    throw cause
  } finally {
    answer.close()
  }
}

/** The file that was named, whole or in part; or the only one. */
function chosen(repo: string, files: readonly string[], wanted: string | undefined): string {
  if (files.length === 0) throw new NoSource(`${repo} has no GGUF file`)
  if (wanted !== undefined && files.includes(wanted)) return wanted
  const fitting = wanted === undefined ? files : files.filter((one) => one.toLowerCase().includes(wanted.toLowerCase()))
  const [only, ...more] = fitting
  if (only !== undefined && more.length === 0) return only
  const list = (fitting.length > 0 ? fitting : files).slice(0, 20).join(', ')
  throw new NoSource(`${wanted === undefined ? 'name a file of' : `"${wanted}" is not one file of`} ${repo}: ${list}`)
}

/** Words for an answer that is none. */
export function refusedBy(url: URL, status: number): FetchError {
  if (status === 401 || status === 403)
    return new FetchError(
      `${url.host} refuses (${status}): the repository is private, gated or not there. Accept its licence on its page, and give a token with HF_TOKEN or --key-from`,
    )
  return new FetchError(`${url.host} answered ${status} for ${url.pathname}`)
}
