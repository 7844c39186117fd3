import type { BatchFolder } from '../../../adapters/files/batch-folders.ts'
import { ResultLog } from '../../../adapters/files/result-log.ts'
import { answeredBy } from '../../../adapters/openai/batch-line.ts'
import { listJournals } from '../../../adapters/sqlite/journal-reader.ts'
import { dropResults, resultsOf } from '../../../adapters/sqlite/journal-results.ts'
import type { RequestId } from '../../../units/ids.ts'
import type { State } from '../state.ts'

/** An answer is held to 32 MiB of text; JSON may double it, and more is no line of ours. */
const longestResult = 128 * 1024 * 1024

/**
 * The answers of one batch, each line's once: in its two files, and until they are on the disk also in the journal, beside the
 * rows that bill them.
 */
export class Results {
  readonly output: ResultLog
  readonly errors: ResultLog
  readonly #state: State
  readonly #done: Map<string, boolean>
  /** Requests whose answers the journal may forget once the files are synced. */
  #journaled: RequestId[] = []
  #saving: Promise<void> | undefined

  private constructor(state: State, output: ResultLog, errors: ResultLog, done: Map<string, boolean>) {
    this.#state = state
    this.output = output
    this.errors = errors
    this.#done = done
  }

  /** What is there already, and what journals of gateways that died hold still. */
  static async open(state: State, folder: BatchFolder, key: string, journals: string): Promise<Results> {
    const done = new Map<string, boolean>()
    const seen = (line: Buffer): void => {
      const { custom_id, good } = answeredBy(line)
      done.set(custom_id, good)
    }
    const output = await ResultLog.open(folder.output, longestResult, seen)
    const errors = await ResultLog.open(folder.errors, longestResult, seen)
    const results = new Results(state, output, errors, done)
    await results.#recover(key, journals)
    return results
  }

  get completed(): number {
    let count = 0
    for (const good of this.#done.values()) if (good) count++
    return count
  }

  get failed(): number {
    return this.#done.size - this.completed
  }

  has(custom_id: string): boolean {
    return this.#done.has(custom_id)
  }

  /** `journaled`: the request whose close row holds it too. */
  add(text: string, journaled?: RequestId): void {
    const { custom_id, good } = answeredBy(text)
    if (!this.#done.has(custom_id)) {
      this.#done.set(custom_id, good)
      if (good) this.output.append(text)
      else this.errors.append(text)
    }
    if (journaled) this.#journaled.push(journaled)
  }

  /** All that was added is on the disk; then the journal forgets it. One at a time; rejects when the disk will not. */
  save(): Promise<void> {
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined
    })
    return this.#saving
  }

  async close(): Promise<void> {
    await this.output.close()
    await this.errors.close()
  }

  async #save(): Promise<void> {
    const count = this.#journaled.length
    await this.output.sync()
    await this.errors.sync()
    if (count > 0) this.#state.journal.forget(this.#journaled.splice(0, count))
  }

  /** Of our own journal too: a run that broke off in this process has left them there. */
  async #recover(key: string, journals: string): Promise<void> {
    const own = this.#state.incarnation
    const others = listJournals(journals).filter((incarnation) => incarnation !== own)
    for (const incarnation of others) for (const { body } of resultsOf(journals, incarnation, key)) this.add(body)
    for (const { id, body } of resultsOf(journals, own, key)) this.add(body, id as RequestId)
    await this.save()
    for (const incarnation of others) dropResults(journals, incarnation, key)
  }
}
