import { setTimeout as after } from 'node:timers/promises'
import { clock } from '../../../adapters/clock/clock.ts'
import { linesOf } from '../../../adapters/files/lines.ts'
import { newFileId } from '../../../adapters/files/tenant-files.ts'
import type { BatchLine } from '../../../adapters/openai/batch-line.ts'
import { expiredLine, readBatchLine, refusalLine } from '../../../adapters/openai/batch-line.ts'
import { againAfter } from '../../../lines/inference/batch/again.ts'
import type { Batch, BatchEnd, BatchEvent, FileId } from '../../../lines/inference/batch/batch.ts'
import { batchAfter } from '../../../lines/inference/batch/batch.ts'
import { capacityFor, hasHeadroom } from '../../../lines/inference/batch/headroom.ts'
import type { Flow } from '../../../lines/inference/flow.ts'
import { chainOf } from '../../../lines/inference/snapshot.ts'
import type { ModelId } from '../../../units/ids.ts'
import { id } from '../../../units/ids.ts'
import type { State } from '../state.ts'
import { askLine, type LineEnd } from './line.ts'
import { Results } from './results.ts'
import { validated } from './validate.ts'

/** Why a run stops before all of its lines are answered. `leaving`: another gateway goes on with it. */
export type Stop = 'cancelled' | 'expired' | 'leaving'

export interface RunPorts {
  readonly state: State
  /** Where the journals lie. */
  readonly journals: string
  /** Lines that this run may have under way just now. */
  share(): number
}

/** Until there is headroom it is looked for so often: a line that nobody waits for can wait that much longer. */
const lookMs = 100
/** Answers are on the disk within this, and counted for who asks; until then the journal holds them. */
const saveMs = 1_000
/** A disk that is full is tried again after this. */
const fullMs = 2_000

/** The kind of a fault: its message may quote what is in a file. */
export const faultName = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.name : 'fault')

/** One batch from where it stands to its end, or until it is stopped. */
export class BatchRun {
  readonly #ports: RunPorts
  readonly #stop = new AbortController()
  readonly #key: string
  /** Lines under way. */
  readonly #flows = new Set<Flow>()
  #batch: Batch
  #leaving = false
  #stuck = false
  #writing: Promise<void> = Promise.resolve()

  constructor(batch: Batch, ports: RunPorts) {
    this.#batch = batch
    this.#ports = ports
    this.#key = ports.state.batches.key(batch)
  }

  get batch(): Batch {
    return this.#batch
  }

  /** What is under way is answered; nothing new is asked. The first reason counts, but for leaving, which always does. */
  stop(why: Stop): void {
    if (why === 'leaving') this.#leaving = true
    if (!this.#stop.signal.aborted) this.#stop.abort(why)
  }

  /** What is under way is over at once; whoever goes on with it asks it again. */
  cut(): void {
    for (const flow of [...this.#flows]) this.#ports.state.world.tell(flow, { kind: 'deadline' })
  }

  async run(): Promise<void> {
    const expiry = setTimeout(() => this.stop('expired'), Math.max(0, this.#batch.expires_ms - clock.ms()))
    try {
      if (this.#batch.state === 'validating') await this.#validate()
      if (this.#batch.state === 'validating' || this.#batch.state === 'in_progress') await this.#answer()
      if (this.#batch.state === 'finalizing') await this.#file()
    } finally {
      clearTimeout(expiry)
    }
  }

  #stopped(): Stop | undefined {
    return this.#leaving ? 'leaving' : (this.#stop.signal.reason as Stop | undefined)
  }

  get #input(): string {
    return this.#ports.state.batches.folder(this.#batch).input
  }

  /** One after the other: it is in force when it is on the disk. */
  #tell(event: BatchEvent): Promise<void> {
    const write = async (): Promise<void> => {
      const next = batchAfter(this.#batch, event, clock.ms())
      if (next === this.#batch) return
      await this.#ports.state.batches.write(next)
      this.#batch = next
    }
    const written = this.#writing.then(write)
    this.#writing = written.catch(() => undefined)
    return written
  }

  async #validate(): Promise<void> {
    const { settings } = this.#ports.state
    const found = await validated(this.#input, this.#batch.endpoint, {
      lines: settings.batches.lines,
      lineBytes: settings.bodyBytes,
      stopped: () => this.#stopped() !== undefined,
    })
    if (this.#stopped()) return
    await this.#tell(
      found.faults.length > 0 ? { kind: 'invalid', faults: found.faults } : { kind: 'valid', total: found.lines },
    )
  }

  async #answer(): Promise<void> {
    if (this.#stopped() === 'leaving') return
    const { state, journals } = this.#ports
    const results = await Results.open(state, state.batches.folder(this.#batch), this.#key, journals)
    const saving = setInterval(() => void this.#save(results), saveMs)
    try {
      await this.#askAll(results).finally(() => results.save())
      if (this.#stopped() === 'expired') await this.#expire(results)
      await this.#saveAtLast(results)
      const stopped = this.#stopped()
      if (stopped === 'leaving') return
      await this.#tell({ kind: 'counted', completed: results.completed, failed: results.failed })
      const file = (bytes: number): FileId | null => (bytes > 0 ? newFileId(clock.ms()) : null)
      const end: BatchEnd = stopped ?? 'completed'
      await this.#tell({ kind: 'over', end, output: file(results.output.bytes), errors: file(results.errors.bytes) })
    } finally {
      clearInterval(saving)
      await results.close()
    }
  }

  async #askAll(results: Results): Promise<void> {
    const under = new Set<Promise<void>>()
    const faults: unknown[] = []
    for await (const { line } of this.#lines()) {
      if (results.has(line.custom_id)) continue
      while (under.size >= this.#ports.share()) await Promise.race(under)
      if (this.#stopped() || faults.length > 0) break
      const asked: Promise<void> = this.#ask(line, results)
        .catch((fault: unknown) => void faults.push(fault))
        .finally(() => under.delete(asked))
      under.add(asked)
    }
    await Promise.all(under)
    if (faults.length > 0) throw faults[0]
  }

  async *#lines(): AsyncGenerator<{ readonly line: BatchLine }> {
    for await (const { number, bytes } of linesOf(this.#input, this.#ports.state.settings.bodyBytes)) {
      const read = readBatchLine(bytes, number, this.#batch.endpoint)
      if (read.ok) yield read
    }
  }

  /** One line until it is answered, refused for good, or the run is stopped. */
  async #ask(line: BatchLine, results: Results): Promise<void> {
    for (let tries = 1; ; tries++) {
      const end = await this.#askOnce(line)
      if (!end) return
      if (end.kind === 'answered') return results.add(end.text, end.id)
      const pause = againAfter(end.refusal, tries, this.#ports.state.policy.admitter.purses.alone)
      if (pause === undefined) return results.add(refusalLine(line.custom_id, end.id, end.refusal))
      if (!(await this.#pause(pause * 1000))) return
    }
  }

  /** As soon as one more line harms nobody; undefined: the run was stopped before. */
  async #askOnce(line: BatchLine): Promise<LineEnd | undefined> {
    const model = id<ModelId>(String(line.body.model))
    while (!this.#stopped()) {
      if (this.#mayAsk(model)) return this.#begin(line)
      await this.#pause(lookMs)
    }
    return undefined
  }

  #begin(line: BatchLine): Promise<LineEnd> {
    return new Promise((told) => {
      const of = { batch: this.#batch, key: this.#key }
      const flow = askLine(this.#ports.state, of, line, (end) => {
        if (flow) this.#flows.delete(flow)
        told(end)
      })
      if (flow) this.#flows.add(flow)
    })
  }

  #mayAsk(model: ModelId): boolean {
    const { state } = this.#ports
    const { snapshot, world, policy, journal, room } = state
    if (!snapshot || this.#stuck || journal.state !== 'up' || room.room.state === 'full') return false
    const chain = chainOf(snapshot, model)
    const capacity = capacityFor(snapshot.replicas, chain, policy.router.allowed.turn(state.now()))
    if (capacity === null) return true // nobody serves it: the line says so
    const running = [...world.flows].filter((flow) => chain.includes(flow.model)).length
    return hasHeadroom({ capacity, running, waiting: policy.admitter.waiting })
  }

  /** False: the run was stopped meanwhile. */
  async #pause(ms: number): Promise<boolean> {
    await after(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined)
    return this.#stopped() === undefined
  }

  /** Until the disk takes it again nothing new is asked: what is answered stays in memory, and in the journal. */
  async #save(results: Results): Promise<void> {
    try {
      await results.save()
      this.#stuck = false
      await this.#tell({ kind: 'counted', completed: results.completed, failed: results.failed })
    } catch (error) {
      if (!this.#stuck) this.#ports.state.log.warn('batch not saved', { id: this.#batch.id, message: faultName(error) })
      this.#stuck = true
    }
  }

  async #saveAtLast(results: Results): Promise<void> {
    for (;;) {
      await this.#save(results)
      if (!this.#stuck || this.#stopped() === 'leaving') return
      await after(fullMs)
    }
  }

  async #expire(results: Results): Promise<void> {
    for await (const { line } of this.#lines())
      if (!results.has(line.custom_id)) results.add(expiredLine(line.custom_id))
  }

  /** The answers become files of the tenant. */
  async #file(): Promise<void> {
    const { id: batch, tenant, output, errors } = this.#batch
    const { state } = this.#ports
    const folder = state.batches.folder(this.#batch)
    const created_ms = this.#batch.since_ms.finalizing ?? clock.ms()
    const facts = {
      tenant,
      purpose: 'batch_output' as const,
      created_ms,
      expires_ms: created_ms + state.settings.batches.keepMs,
    }
    if (output) await state.files.adopt(folder.output, { ...facts, id: output, filename: `${batch}_output.jsonl` })
    if (errors) await state.files.adopt(folder.errors, { ...facts, id: errors, filename: `${batch}_error.jsonl` })
    await this.#tell({ kind: 'filed' })
  }
}
