import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Database, Integers, Value } from '../database/database.ts'
import type { Call, Joint, Numbered, Told } from './call.ts'
import { inPostgres } from './statement.ts'

/** Nothing that the store asks takes long: what does waits for a lock, or for a disk that fails. */
const usual_ms = 30_000
/** The database ends a statement at its own bound; this long beyond it, it is not there any more. */
const beyond_ms = 10_000
/** Rows that a stream holds at once. */
const fetched = 1000

/** The database said no, or nothing. `sqlstate` is its own code, empty where the connection failed. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError'
  readonly sqlstate: string
  readonly lost: boolean

  constructor(message: string, sqlstate: string, lost: boolean) {
    super(message)
    this.sqlstate = sqlstate
    this.lost = lost
  }
}

interface Options {
  /** Asked of each new connection, before all else. */
  readonly begins?: (database: PostgresDatabase) => void
  /** The longest that a statement may take. */
  readonly statement_ms?: number
  /** How long it is waited for: a little longer. */
  readonly answer_ms?: number
}

/**
 * A connection to PostgreSQL whose answers are waited for: a thread of its own holds it, and this one sleeps until it has
 * answered. A connection that is lost is made again at the next transaction; `begins` says what it needs first.
 */
export class PostgresDatabase implements Database {
  readonly dialect = 'postgres'
  readonly #begins: (database: PostgresDatabase) => void
  readonly #answer_ms: number
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #signal = new Int32Array(new SharedArrayBuffer(4))
  readonly #translated = new Map<string, string>()
  #inTransaction = false
  #connected = false
  #connecting = false
  /** When it may be tried again to connect, and what it said last. */
  #again = { at: 0, cause: undefined as unknown }
  #closed = false
  /** Counts transactions: a cursor ends with its own. */
  #transaction = 0
  #cursors = 0
  #calls = 0

  constructor(
    url: string,
    { begins = () => undefined, statement_ms = usual_ms, answer_ms = statement_ms + beyond_ms }: Options = {},
  ) {
    this.#begins = begins
    this.#answer_ms = answer_ms
    const { port1, port2 } = new MessageChannel()
    const joint: Joint = { url, signal: this.#signal, statement_ms }
    this.#worker = new Worker(workerFile(), { workerData: { ...joint, port: port2 }, transferList: [port2] })
    this.#worker.unref()
    this.#port = port1
    this.#port.unref()
    try {
      this.#connect()
    } catch (cause) {
      this.close()
      throw cause
    }
  }

  get inTransaction(): boolean {
    return this.#inTransaction
  }

  exec(script: string): void {
    const word = /^\s*(\w+)/.exec(script)?.[1]?.toLowerCase()
    if (word === 'rollback') this.#inTransaction = false
    if (word === 'begin') this.#transaction++
    if (word === 'begin') this.#begin(script)
    else this.#ask({ do: 'exec', script })
    if (word === 'commit') this.#inTransaction = false
  }

  run(sql: string, values: readonly Value[]): number {
    return this.#query(sql, values, 'number').changed
  }

  one(sql: string, values: readonly Value[]): unknown {
    return this.#query(sql, values, 'number').rows[0]
  }

  all(sql: string, values: readonly Value[], integers: Integers): unknown[] {
    return [...this.#query(sql, values, integers).rows]
  }

  /** By a cursor. Outside of a transaction it is held by the database until it is read to its end. */
  *iterate(sql: string, values: readonly Value[], integers: Integers): Generator<unknown> {
    const name = `c${++this.#cursors}`
    const transaction = this.#inTransaction ? this.#transaction : undefined
    const hold = transaction === undefined ? ' with hold' : ''
    const ask = (text: string, bound: readonly Value[] = []): readonly unknown[] =>
      this.#ask({ do: 'query', sql: text, values: bound, integers, keep: false }).rows
    ask(`declare ${name} no scroll cursor${hold} for ${this.#inOurs(sql)}`, values.map(bounded))
    try {
      for (let rows = ask(`fetch ${fetched} from ${name}`); rows.length > 0; ) {
        yield* rows
        rows = rows.length === fetched ? ask(`fetch ${fetched} from ${name}`) : []
      }
    } finally {
      const open = transaction === undefined || (this.#inTransaction && transaction === this.#transaction)
      if (open && this.#connected) ask(`close ${name}`)
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#connected) this.#tell({ do: 'close' })
    this.#connected = false
    this.#port.close()
    void this.#worker.terminate()
  }

  /** Nothing has happened yet: where the connection was lost since the last answer, another one will do. */
  #begin(script: string): void {
    try {
      this.#start(script)
    } catch (cause) {
      if (!(cause instanceof PostgresError && cause.lost) || this.#connecting) throw cause
      this.#start(script)
    }
    this.#inTransaction = true
  }

  /** It begins and waits for its turn in one script: when the turn does not come, what had begun ends. */
  #start(script: string): void {
    try {
      this.#ask({ do: 'exec', script })
    } catch (cause) {
      if (this.#connected) this.#tell({ do: 'exec', script: 'rollback' })
      throw cause
    }
  }

  #query(sql: string, values: readonly Value[], integers: Integers) {
    return this.#ask({ do: 'query', sql: this.#inOurs(sql), values: values.map(bounded), integers, keep: true })
  }

  #inOurs(sql: string): string {
    const known = this.#translated.get(sql) ?? inPostgres(sql)
    this.#translated.set(sql, known)
    return known
  }

  #connect(): void {
    this.#dial()
    this.#connected = true
    this.#connecting = true
    let whole = false
    try {
      this.#begins(this)
      whole = true
    } finally {
      this.#connecting = false
      this.#connected &&= whole // one that could not begin as it should is none
      this.#inTransaction = false // what it had begun for that went with it
    }
  }

  /**
   * One that is not there says so at once, or after seconds in which this thread does nothing else: so for twice as long as it took it
   * is not tried again, and whoever asks is told the same.
   */
  #dial(): void {
    const began = performance.now()
    if (began < this.#again.at) throw this.#again.cause
    try {
      this.#answered(this.#tell({ do: 'connect' }))
    } catch (cause) {
      const now = performance.now()
      this.#again = { at: now + 2 * (now - began), cause }
      throw cause
    }
  }

  /** In a transaction that a lost connection took with it nothing is asked any more. */
  #ask(call: Call): Told & { ok: true } {
    if (!this.#connected) {
      if (this.#inTransaction || this.#connecting)
        throw new PostgresError('the connection is gone, and the transaction with it', '', true)
      if (call.do === 'exec' && call.script === 'rollback') return { ok: true, rows: [], changed: 0 }
      this.#connect()
    }
    return this.#answered(this.#tell(call))
  }

  #answered(told: Told): Told & { ok: true } {
    if (told.ok) return told
    if (told.lost) this.#connected = false
    throw new PostgresError(told.message, told.state, told.lost)
  }

  #tell(call: Call): Told {
    const number = ++this.#calls
    const until = performance.now() + this.#answer_ms
    const asked: Numbered<Call> = { number, of: call }
    this.#port.postMessage(asked)
    for (;;) {
      const before = Atomics.load(this.#signal, 0)
      for (let heard = this.#heard(); heard; heard = this.#heard()) if (heard.number === number) return heard.of
      const left_ms = until - performance.now()
      if (left_ms <= 0 || Atomics.wait(this.#signal, 0, before, left_ms) === 'timed-out') return noAnswer
    }
  }

  #heard(): Numbered<Told> | undefined {
    return receiveMessageOnPort(this.#port)?.message as Numbered<Told> | undefined
  }
}

/** A whole number has no infinity in PostgreSQL; none that is kept comes near this one. */
const bounded = (value: Value): Value =>
  value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY
    ? Math.sign(value) * Number.MAX_SAFE_INTEGER
    : value

const noAnswer: Told = { ok: false, message: 'no answer', state: '', lost: true }

/** Beside this file, whether it runs from the sources or built. */
const workerFile = (): URL => new URL(import.meta.url.endsWith('.ts') ? 'worker.ts' : 'worker.js', import.meta.url)
