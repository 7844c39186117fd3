/**
 * The gateway's journal: append → group commit → answer. Rows that arrive while a commit runs go into the next one, so one
 * flush of the disk carries as many rows as the disk is slow, and their order is the order they came in.
 *
 * When it cannot be written, the rows of that commit are answered `false` and dropped, and so is every row until a probe
 * says that there is room again. Only what was given to `keep` waits for that.
 */
import { Worker } from 'node:worker_threads'
import type { CloseRow, Row } from '../../books/row.ts'
import type { Incarnation } from '../../units/ids.ts'
import { holdAlive } from '../files/alive.ts'
import type { JournalDone, JournalEntry, JournalWork, Result } from './journal-file.ts'
import { alivePath, journalPath, packed } from './journal-file.ts'

export interface Journal {
  /**
   * `answer(true)` once the row is durable; `answer(false)` when it is not and will not be. Never from within the call. A
   * `result` is durable with its row, or neither is.
   */
  append(row: Row, answer: (durable: boolean) => void, result?: Result): void
  /** Writes it once the journal works again; nobody waits for it. */
  keep(row: CloseRow): void
  /** Rows up to this number are in the books; they are deleted when there is time. */
  acknowledge(seq: number): void
  /** Results of these requests are kept elsewhere now; they are deleted when there is time. */
  forget(ids: readonly string[]): void
  /** Rows that are not durable yet. */
  readonly depth: number
  readonly state: JournalState
  /** Rows that `keep` had no room for: the operator settles their requests by the rule for dead gateways. */
  readonly dropped: number
  close(): Promise<void>
}

export type JournalState = 'up' | 'down'

export interface JournalOptions {
  readonly directory: string
  readonly incarnation: Incarnation
  readonly onState: (state: JournalState, why: string) => void
  /** Bytes; beyond them the state is `down`. A gigabyte is some million rows, days of an operator that is away. */
  readonly largest?: number
}

/** One commit's rows: enough that the flush costs nothing per row, few enough that it takes milliseconds. */
const largestBatch = 4096
/** Rows that wait for a commit: far above what flows of one gateway can have under way. Beyond it: answered `false`. */
const longestQueue = 65_536
/** Rows that `keep` holds while the journal is down, some 10 MB. */
const mostKept = 10_000
/** Deleting needs a flush too: worth it for this many rows, or when nothing else is to be done. */
const worthTrimming = 8192
const probeAfter_ms = { first: 100, longest: 5000 }

interface Waiting extends JournalEntry {
  readonly answer: (durable: boolean) => void
}

export function openJournal(options: JournalOptions): Journal {
  const { directory, incarnation } = options
  const alive = holdAlive(alivePath(directory, incarnation))
  if (!alive) throw new Error(`the journal of ${incarnation} is held by another process`)
  const settings = { path: journalPath(directory, incarnation), largest: options.largest ?? 1024 ** 3 }
  return new LiveJournal(new Worker(workerFile(), { workerData: settings }), alive, options.onState)
}

/** Beside this file, whether it runs from the sources or built. */
const workerFile = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? 'journal-worker.ts' : 'journal-worker.js', import.meta.url)

class LiveJournal implements Journal {
  state: JournalState = 'up'
  dropped = 0
  private queue: Waiting[] = []
  private kept: Waiting[] = []
  private forgotten: string[] = []
  /** What the worker is doing: told when it is done. */
  private underWay: ((done: JournalDone) => void) | undefined
  private writing = 0
  private acknowledged = 0
  private trimmed = 0
  private backOff = probeAfter_ms.first
  private timer: NodeJS.Timeout | undefined
  private closing: (() => void) | undefined
  private ended = false
  private turning = false
  private lost: string | undefined
  private readonly worker: Worker
  private readonly alive: { release(): void }
  private readonly onState: JournalOptions['onState']

  constructor(worker: Worker, alive: { release(): void }, onState: JournalOptions['onState']) {
    this.worker = worker
    this.alive = alive
    this.onState = onState
    worker.on('message', (done: JournalDone) => this.told(done))
    worker.on('error', (error) => this.lose(`the journal's thread died: ${error.message}`))
    worker.on('exit', () => this.lose("the journal's thread ended"))
    worker.unref() // only work under way keeps a process alive
  }

  get depth(): number {
    return this.queue.length + this.writing + this.kept.length
  }

  append(row: Row, answer: (durable: boolean) => void, result?: Result): void {
    if (this.state === 'down' || this.closing || this.queue.length >= longestQueue)
      return queueMicrotask(() => answer(false))
    this.queue.push(entry(row, answer, result))
    this.turn()
  }

  keep(row: CloseRow): void {
    const again = (durable: boolean): void => {
      if (!durable) this.hold(waiting)
    }
    const waiting = entry(row, again)
    this.hold(waiting)
  }

  acknowledge(seq: number): void {
    this.acknowledged = Math.max(this.acknowledged, seq)
    this.turn()
  }

  forget(ids: readonly string[]): void {
    this.forgotten.push(...ids)
    this.turn()
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.closing = resolve
      clearTimeout(this.timer)
      if (this.kept.length > 0) this.state = 'up' // one last try
      this.next()
    })
  }

  private hold(waiting: Waiting): void {
    if (this.kept.length >= mostKept) this.dropped++
    else this.kept.push(waiting)
    this.turn()
  }

  /** Once all sockets that had something to say were heard: the rows that come of one turn of the event loop share a commit. */
  private turn(): void {
    if (this.turning) return
    this.turning = true
    setImmediate(() => {
      this.turning = false
      this.next()
    })
  }

  private next(): void {
    if (this.underWay) return
    if (this.state === 'up') {
      if (this.kept.length > 0) this.queue.push(...this.kept.splice(0))
      if (this.acknowledged - this.trimmed >= worthTrimming) return this.trim()
      if (this.queue.length > 0) return this.write()
    }
    if (this.acknowledged > this.trimmed) return this.trim()
    if (this.forgotten.length > 0) return this.forgetSome()
    if (this.closing) this.end(this.closing)
  }

  private write(): void {
    const batch = this.queue.splice(0, largestBatch)
    this.writing = batch.length
    this.perform({ do: 'write', rows: packed(batch) }, (done) => {
      this.writing = 0
      if (!done.done) this.down(done.why)
      for (const { answer } of batch) answer(done.done)
      if (!done.done) for (const { answer } of this.queue.splice(0)) answer(false)
    })
  }

  private trim(): void {
    const seq = this.acknowledged
    this.perform({ do: 'trim', seq, most: worthTrimming }, (done) => {
      this.trimmed = done.done ? done.trimmed : seq // failing is not worth a state: the next acknowledgement tries again
    })
  }

  /** What fails stays, and is found in its batch already when somebody looks. */
  private forgetSome(): void {
    const ids = this.forgotten.splice(0, worthTrimming)
    this.perform({ do: 'forget', ids }, () => undefined)
  }

  private probe(): void {
    if (this.underWay) return this.later()
    this.perform({ do: 'probe' }, (done) => {
      if (!done.done) return this.later()
      this.backOff = probeAfter_ms.first
      this.state = 'up'
      this.onState('up', 'the journal can be written again')
    })
  }

  private later(): void {
    if (this.closing) return
    clearTimeout(this.timer)
    this.timer = setTimeout(() => this.probe(), this.backOff)
    this.timer.unref()
    this.backOff = Math.min(probeAfter_ms.longest, this.backOff * 2)
  }

  private down(why: string): void {
    if (this.state !== 'down') {
      this.state = 'down'
      this.onState('down', why)
    }
    this.later()
  }

  private end(resolve: () => void): void {
    if (this.ended) return
    this.ended = true
    this.perform({ do: 'close' }, () => {
      this.alive.release()
      this.worker.ref()
      this.worker.terminate().then(resolve, resolve)
    })
  }

  private perform(work: JournalWork, then: (done: JournalDone) => void): void {
    this.underWay = then
    if (this.lost) return queueMicrotask(() => this.told({ done: false, why: this.lost ?? '' }))
    this.worker.ref()
    this.worker.postMessage(work)
  }

  /** Without its thread nothing is durable any more; the gateway says so until it is started anew. */
  private lose(why: string): void {
    this.lost ??= why
    this.told({ done: false, why })
    if (!this.closing) this.down(why)
  }

  private told(done: JournalDone): void {
    const then = this.underWay
    this.underWay = undefined
    this.worker.unref()
    then?.(done)
    this.turn()
  }
}

function entry(row: Row, answer: (durable: boolean) => void, result?: Result): Waiting {
  return { kind: row.kind, id: row.id, body: JSON.stringify(row), answer, result }
}
