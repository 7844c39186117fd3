import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Batch, BatchId } from '../../lines/inference/batch/batch.ts'
import { isOver } from '../../lines/inference/batch/batch.ts'
import type { TenantId } from '../../units/ids.ts'
import { agedId, folderOf } from './tenant-files.ts'
import { keepWhole, linkOnce, orMissing } from './whole.ts'

const idForm = /^batch_[0-9a-z]{9}[0-9a-f]{16}$/
export const newBatchId = (now_ms: number): BatchId => agedId('batch_', now_ms) as BatchId

/** Where the parts of one batch lie. */
export interface BatchFolder {
  /** The same bytes as the input file, which its owner may delete meanwhile. */
  readonly input: string
  /** Answers, a line each, as they come; the batch's files in the end. */
  readonly output: string
  readonly errors: string
}

/** A folder left without its record by a process that died is swept after this. */
const unmadeMs = 86_400_000

/**
 * Batches, in a folder each. `batch.json` is made by whoever takes the batch in, and from then on written by the one gateway
 * that drives batches; a file `cancel`, with its time, may be put there by any.
 */
export class BatchFolders {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  folder(batch: Pick<Batch, 'tenant' | 'id'>): BatchFolder {
    const at = this.#at(batch)
    return { input: join(at, 'input.jsonl'), output: join(at, 'output.jsonl'), errors: join(at, 'errors.jsonl') }
  }

  /** Names a batch over all tenants: whose it is without saying so. */
  key({ tenant, id }: Pick<Batch, 'tenant' | 'id'>): string {
    return `${folderOf(tenant)}/${id}`
  }

  async create(batch: Batch, input: string): Promise<void> {
    await mkdir(this.#at(batch), { recursive: true, mode: 0o700 })
    await linkOnce(input, this.folder(batch).input)
    await this.write(batch)
  }

  write(batch: Batch): Promise<void> {
    return keepWhole(join(this.#at(batch), 'batch.json'), JSON.stringify(batch))
  }

  async find(tenant: TenantId, id: string): Promise<Batch | undefined> {
    return idForm.test(id) ? this.read(`${folderOf(tenant)}/${id}`) : undefined
  }

  async read(key: string): Promise<Batch | undefined> {
    const text = await readFile(join(this.#root, key, 'batch.json'), 'utf8').catch(orMissing(undefined))
    return text === undefined ? undefined : (JSON.parse(text) as Batch)
  }

  /** Ids of a tenant's batches, the newest first. */
  async ids(tenant: TenantId): Promise<BatchId[]> {
    return (await this.#names(folderOf(tenant))).reverse() as BatchId[]
  }

  /** Names of all batches; within a tenant the oldest first. */
  async keys(): Promise<string[]> {
    const tenants = await readdir(this.#root).catch(orMissing([]))
    const all = await Promise.all(tenants.map(async (tenant) => [tenant, await this.#names(tenant)] as const))
    return all.flatMap(([tenant, ids]) => ids.map((id) => `${tenant}/${id}`))
  }

  /** Once asked, it stays asked; the first time counts. */
  async cancel(batch: Batch, now_ms: number): Promise<void> {
    const how = { flag: 'wx', mode: 0o600 }
    await writeFile(join(this.#at(batch), 'cancel'), String(now_ms), how).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'EEXIST') throw cause
    })
  }

  /** When it was asked to be cancelled. */
  async cancelledAt(batch: Pick<Batch, 'tenant' | 'id'>): Promise<number | undefined> {
    const text = await readFile(join(this.#at(batch), 'cancel'), 'utf8').catch(orMissing(undefined))
    return text === undefined ? undefined : Number(text)
  }

  /** Removes batches that ended before a moment. */
  async sweep(endedBefore_ms: number, now_ms: number): Promise<void> {
    for (const key of await this.keys()) {
      const batch = await this.read(key)
      const old = batch
        ? isOver(batch.state) && (batch.since_ms[batch.state] ?? 0) < endedBefore_ms
        : now_ms - ((await stat(join(this.#root, key)).catch(orMissing(undefined)))?.mtimeMs ?? now_ms) > unmadeMs
      if (old) await rm(join(this.#root, key), { recursive: true, force: true })
    }
  }

  async #names(tenant: string): Promise<string[]> {
    const names = await readdir(join(this.#root, tenant)).catch(orMissing([]))
    return names.filter((name) => idForm.test(name)).sort()
  }

  #at({ tenant, id }: Pick<Batch, 'tenant' | 'id'>): string {
    return join(this.#root, folderOf(tenant), id)
  }
}
