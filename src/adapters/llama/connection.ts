/**
 * One gateway's connection at the host: commands in, reports out, and the streams that die with it.
 *
 * A gateway that does not read is cut off, not waited for: pausing its streams would keep sequences, which everybody
 * shares, for a process that is probably stuck. Cutting cancels them at the next step, with their counts in the log.
 */
import type { Socket } from 'node:net'
import { askOf, embeddingOf } from './ask.ts'
import { type CountCommand, type EmbedCommand, type GenerateCommand, parseCommand } from './commands.ts'
import type { Embedding } from './embedder.ts'
import { LineSplitter } from './lines.ts'
import type { Hosted, Models } from './models.ts'
import { promptOf } from './prompt.ts'
import type { EngineCommand, EngineFailure, EngineReport } from './protocol.ts'
import { type Ending, openStream } from './stream.ts'

/** Reports not yet taken by the kernel: about a hundred thousand steps, half a minute of a fast host at full speed. */
const MOST_UNREAD = 8 * 1024 * 1024

export class Connection {
  private readonly socket: Socket
  private readonly models: Models
  private readonly streams = new Map<string, { ending: Ending | undefined }>()
  private readonly mostUnread: number
  private unsent = ''
  private gone = false

  constructor(socket: Socket, models: Models, mostUnread = MOST_UNREAD) {
    this.socket = socket
    this.models = models
    this.mostUnread = mostUnread
    const lines = new LineSplitter()
    socket.on('data', (chunk: Buffer) => {
      for (const line of lines.push(chunk)) {
        if (line.kind === 'line') this.hear(line.text)
        else this.fail('', 'bad_request', 'the line is too long')
      }
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.drop())
  }

  /** Reports of one tick leave in one write. */
  tell(report: EngineReport): void {
    if (this.gone) return
    if (this.unsent === '') queueMicrotask(() => this.flush())
    this.unsent += `${JSON.stringify(report)}\n`
  }

  /** Says goodbye: what was told still leaves. */
  end(): void {
    this.flush()
    this.socket.end()
  }

  private flush(): void {
    if (this.gone || this.unsent === '') return
    this.socket.write(this.unsent)
    this.unsent = ''
    if (this.socket.writableLength > this.mostUnread) this.socket.destroy()
  }

  private drop(): void {
    this.gone = true
    this.unsent = ''
    for (const stream of this.streams.values()) stream.ending ??= { how: 'cancelled' }
    this.streams.clear()
  }

  private hear(line: string): void {
    if (line.trim() === '') return
    const parsed = parseCommand(line)
    if (parsed.kind === 'refused') return this.fail(parsed.id, 'bad_request', parsed.message)
    try {
      this.obey(parsed.command)
    } catch (error) {
      const id = 'id' in parsed.command ? parsed.command.id : ''
      this.fail(id, 'crashed', `the host failed on this command: ${String(error)}`)
    }
  }

  private obey(command: EngineCommand): void {
    switch (command.do) {
      case 'generate':
        return this.generate(command)
      case 'count':
        return this.count(command)
      case 'embed':
        return this.embed(command)
      case 'cancel': {
        const stream = this.streams.get(command.id)
        if (stream) stream.ending ??= { how: 'cancelled' } // an id that is over, or another gateway's, is nothing to us
        return
      }
      case 'load':
        void this.models.load(command.model, command.path).then((outcome) => this.tell(outcome))
        return
      case 'unload':
        void this.models.unload(command.model).then(() => this.tell({ on: 'unloaded', model: command.model }))
        return
      case 'remove':
        void this.models.remove(command.model).then(() => this.tell({ on: 'unloaded', model: command.model }))
        return
      case 'status':
        return this.tell(this.models.status())
    }
  }

  private generate(command: GenerateCommand): void {
    const { id, model } = command
    const hosted = this.models.find(model)
    if (hosted?.state !== 'ready') return this.absent(id, model, hosted)
    if (this.streams.has(id)) return this.fail(id, 'bad_request', 'this id is under way already')

    const { serving } = hosted
    if (serving.makes !== 'text') return this.fail(id, 'unsupported', `${model} makes vectors, and no text`)
    const asked = askOf(serving.model, serving.render, command)
    if (asked.kind === 'refused') return this.fail(id, asked.fault, asked.message)
    const stream = openStream(asked.ask, serving.model, this.teller(id))
    this.under(id, model, stream, serving.work.submit(stream))
  }

  private count(command: CountCommand): void {
    const { id, model } = command
    const hosted = this.models.find(model)
    if (hosted?.state !== 'ready') return this.absent(id, model, hosted)
    const { serving } = hosted
    if (serving.makes !== 'text') return this.fail(id, 'unsupported', `${model} makes vectors, and no text`)
    const prompt = promptOf(serving.model, serving.render, command)
    if (prompt.kind === 'refused') return this.fail(id, prompt.fault, prompt.message)
    this.tell({ on: 'counted', id, tokens: prompt.tokens.length })
  }

  private embed(command: EmbedCommand): void {
    const { id, model } = command
    const hosted = this.models.find(model)
    if (hosted?.state !== 'ready') return this.absent(id, model, hosted)
    if (this.streams.has(id)) return this.fail(id, 'bad_request', 'this id is under way already')

    const { serving } = hosted
    if (serving.makes !== 'vectors') return this.fail(id, 'unsupported', `${model} makes text, and no vectors`)
    const asked = embeddingOf(serving.model, command)
    if (asked.kind === 'refused') return this.fail(id, asked.fault, asked.message)
    const embedding: Embedding = { id, model, inputs: asked.inputs, tell: this.teller(id), ending: undefined }
    this.under(id, model, embedding, serving.work.submit(embedding))
  }

  /** Reports of an attempt, until its last. */
  private teller(id: string): (report: EngineReport) => void {
    return (report) => {
      if (report.on === 'end' || report.on === 'fail') this.streams.delete(id)
      this.tell(report)
    }
  }

  private under(id: string, model: string, stream: { ending: Ending | undefined }, accepted: boolean): void {
    if (!accepted) return this.fail(id, 'overloaded', `${model} takes no more requests now: its queue is full`)
    this.streams.set(id, stream)
  }

  private absent(id: string, model: string, hosted: Exclude<Hosted, { state: 'ready' }> | undefined): void {
    if (hosted?.state === 'failed') return this.fail(id, 'unknown_model', `${model} failed to load: ${hosted.error}`)
    if (!hosted) return this.fail(id, 'unknown_model', `there is no model ${model}`)
    this.fail(id, 'overloaded', `${model} is not in memory now (${hosted.state})`)
  }

  private fail(id: string, fault: EngineFailure, message: string): void {
    this.tell({ on: 'fail', id, fault, message })
  }
}
