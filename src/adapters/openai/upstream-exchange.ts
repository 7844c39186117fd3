import type { Dispatcher } from 'undici'
import type { EngineFailure } from '../../lines/inference/flow.ts'
import { parseReply } from '../http/json.ts'
import { failureOfSocket } from './upstream-errors.ts'

/** What reads a good answer: a stream or a whole one. */
export interface Reader {
  /** A failure when it cannot be gone on with. */
  data(bytes: Buffer): EngineFailure | undefined
  /** Content has passed: what breaks now is cut short. */
  produced(): boolean
  /** Nothing is missing any more, so that a socket may break without harm. */
  whole(): boolean
  /** No more comes; whether that is an answer is the reader's to judge. */
  end(): void
  failed(failure: EngineFailure): void
}

/** What an HTTP error of an upstream comes to: each API words its errors otherwise. */
export type StatusReading = (engine: string, status: number, body: unknown) => EngineFailure

/** An error's body is read no further: it is a sentence, or it is of no use. */
const longestError = 64 * 1024

/**
 * One HTTP exchange with an upstream. However it goes, and whatever comes after, its reader hears the end once, and
 * never within `start` or `cancel`.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #engine: string
  readonly #reader: Reader
  readonly #failureOf: StatusReading
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #error: Buffer[] = []
  #errorBytes = 0
  #over = false
  #paused = false

  constructor(engine: string, reader: Reader, failureOf: StatusReading) {
    this.#engine = engine
    this.#reader = reader
    this.#failureOf = failureOf
  }

  start(dispatcher: Dispatcher, options: Dispatcher.DispatchOptions): void {
    queueMicrotask(() => {
      if (!this.#over) dispatcher.dispatch(options, this)
    })
  }

  cancel(): void {
    this.#stop({ fault: 'crashed', message: 'cancelled' })
  }

  pause(): void {
    this.#paused = true
    this.#controller?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error('cancelled while it waited for a socket'))
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number): void {
    this.#status = status
    if (this.#paused) this.#controller?.pause()
  }

  onResponseData(_: Dispatcher.DispatchController, bytes: Buffer): void {
    if (this.#over) return
    if (this.#status !== 200) return this.#readError(bytes)
    const failure = this.#reader.data(bytes)
    if (failure) this.#stop(failure)
  }

  onResponseEnd(): void {
    if (this.#over) return
    if (this.#status !== 200) return this.#finish(this.#failureOf(this.#engine, this.#status, this.#errorBody()))
    this.#finish(undefined)
  }

  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    if (this.#over) return
    if (this.#reader.whole()) return this.#finish(undefined)
    const stage = this.#reader.produced() ? 'produced' : this.#status === 0 ? 'asked' : 'answered'
    this.#finish(failureOfSocket(this.#engine, cause, stage))
  }

  #readError(bytes: Buffer): void {
    this.#error.push(bytes)
    this.#errorBytes += bytes.length
    if (this.#errorBytes > longestError) this.#stop(this.#failureOf(this.#engine, this.#status, undefined))
  }

  #errorBody(): unknown {
    return parseReply(Buffer.concat(this.#error, this.#errorBytes).toString())
  }

  /** Tells the failure and hangs up. */
  #stop(failure: EngineFailure): void {
    if (this.#over) return
    this.#over = true
    this.#controller?.abort(new Error(failure.message))
    queueMicrotask(() => this.#reader.failed(failure))
  }

  #finish(failure: EngineFailure | undefined): void {
    this.#over = true
    if (failure) this.#reader.failed(failure)
    else this.#reader.end()
  }
}
