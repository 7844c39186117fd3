import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, type ReadStream } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileId } from '../../lines/inference/batch/batch.ts'
import type { TenantId } from '../../units/ids.ts'
import { keepWhole, linkOnce, orMissing } from './whole.ts'

/** What is known of a file besides its bytes. */
export interface StoredFile {
  readonly id: FileId
  readonly tenant: TenantId
  readonly filename: string
  readonly purpose: 'batch' | 'batch_output'
  readonly bytes: number
  readonly created_ms: number
  /** It is gone then. */
  readonly expires_ms: number
}

/** An upload under way: it is a file once it is committed, and nothing before. */
export interface Incoming {
  write(bytes: Uint8Array): Promise<void>
  commit(facts: Omit<StoredFile, 'bytes'>): Promise<StoredFile>
  drop(): Promise<void>
}

/** A name that sorts by age, and says nothing of whose it is: `file-…`, `batch_…`. */
export const agedId = (kind: string, now_ms: number): string =>
  `${kind}${now_ms.toString(36).padStart(9, '0')}${randomBytes(8).toString('hex')}`
const idForm = /^file-[0-9a-z]{9}[0-9a-f]{16}$/
export const newFileId = (now_ms: number): FileId => agedId('file-', now_ms) as FileId

/** A tenant's folder: its name may hold what no path may, and differ from another's by case alone. */
export const folderOf = (tenant: TenantId): string => createHash('sha256').update(tenant).digest('hex').slice(0, 32)

/** An upload that its client left behind is swept after this. */
const partMs = 86_400_000

/**
 * The files of tenants, in a folder each: the bytes under the file's id, and beside them `<id>.json`, which is written last
 * and removed first. Any process of the home may read and write it.
 */
export class TenantFiles {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  path(tenant: TenantId, id: FileId): string {
    return join(this.#root, folderOf(tenant), id)
  }

  async begin(tenant: TenantId): Promise<Incoming> {
    const folder = join(this.#root, folderOf(tenant))
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const part = join(folder, `${randomBytes(12).toString('hex')}.part`)
    const file = await open(part, 'wx', 0o600)
    let bytes = 0
    return {
      async write(some) {
        for (let at = 0; at < some.length; ) at += (await file.write(some, at)).bytesWritten
        bytes += some.length
      },
      commit: async (facts) => {
        await file.sync()
        await file.close()
        await rename(part, this.path(tenant, facts.id))
        return this.#describe({ ...facts, bytes })
      },
      async drop() {
        await file.close()
        await rm(part, { force: true })
      },
    }
  }

  /** A file that was made elsewhere in the home gets a name here. Doing it again changes nothing. */
  async adopt(path: string, facts: Omit<StoredFile, 'bytes'>): Promise<StoredFile> {
    await mkdir(join(this.#root, folderOf(facts.tenant)), { recursive: true, mode: 0o700 })
    await linkOnce(path, this.path(facts.tenant, facts.id))
    return this.#describe({ ...facts, bytes: (await stat(path)).size })
  }

  async find(tenant: TenantId, id: string, now_ms: number): Promise<StoredFile | undefined> {
    if (!idForm.test(id)) return undefined
    const text = await readFile(`${this.path(tenant, id as FileId)}.json`, 'utf8').catch(orMissing(undefined))
    const file = text === undefined ? undefined : (JSON.parse(text) as StoredFile)
    return file && file.expires_ms > now_ms ? file : undefined
  }

  /** Ids of a tenant's files, the newest first; some may have expired. */
  async ids(tenant: TenantId): Promise<FileId[]> {
    const names = await this.#names(folderOf(tenant))
    return names
      .filter((name) => name.endsWith('.json') && idForm.test(name.slice(0, -5)))
      .map((name) => name.slice(0, -5) as FileId)
      .sort()
      .reverse()
  }

  /** What a tenant's files take up, uploads under way included. */
  async held(tenant: TenantId): Promise<{ readonly files: number; readonly bytes: number }> {
    const folder = folderOf(tenant)
    const names = (await this.#names(folder)).filter((name) => !name.endsWith('.json') && !name.endsWith('.tmp'))
    let bytes = 0
    for (const name of names) bytes += (await this.#stat(join(this.#root, folder, name)))?.size ?? 0
    return { files: names.length, bytes }
  }

  /** Undefined: it is not there any more. */
  async read(file: StoredFile): Promise<ReadStream | undefined> {
    const handle = await open(this.path(file.tenant, file.id)).catch(orMissing(undefined))
    return handle && createReadStream('', { fd: handle })
  }

  async remove(tenant: TenantId, id: FileId): Promise<void> {
    await rm(`${this.path(tenant, id)}.json`, { force: true })
    await rm(this.path(tenant, id), { force: true })
  }

  /** Removes what has expired, and what uploads that broke off left behind. */
  async sweep(now_ms: number): Promise<void> {
    for (const folder of await this.#names('')) {
      for (const name of await this.#names(folder)) {
        const path = join(this.#root, folder, name)
        if (name.endsWith('.json')) await this.#expire(path, now_ms)
        else if (await this.#isLeftBehind(path, now_ms)) await rm(path, { force: true })
      }
    }
  }

  async #expire(path: string, now_ms: number): Promise<void> {
    const text = await readFile(path, 'utf8').catch(orMissing(undefined))
    const file = text === undefined ? undefined : (JSON.parse(text) as StoredFile)
    if (file && file.expires_ms <= now_ms) await this.remove(file.tenant, file.id)
  }

  /** A part, or bytes without a description: of an upload that broke off. */
  async #isLeftBehind(path: string, now_ms: number): Promise<boolean> {
    const file = await this.#stat(path)
    if (!file || now_ms - file.mtimeMs < partMs) return false
    return (await this.#stat(`${path}.json`)) === undefined
  }

  async #describe(file: StoredFile): Promise<StoredFile> {
    await keepWhole(`${this.path(file.tenant, file.id)}.json`, JSON.stringify(file))
    return file
  }

  #names(folder: string): Promise<string[]> {
    return readdir(join(this.#root, folder)).catch(orMissing([]))
  }

  #stat(path: string) {
    return stat(path).catch(orMissing(undefined))
  }
}
