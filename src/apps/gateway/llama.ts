import type { AttemptReport, EngineHostClient } from '../../adapters/llama/client.ts'
import type { EmbedCommand, GenerateCommand } from '../../adapters/llama/commands.ts'
import type { EngineCount } from '../../adapters/llama/protocol.ts'
import { embeddedAsk } from '../../adapters/openai/embedded.ts'
import { embeddedInputs } from '../../adapters/openai/embeddings.ts'
import type { Engine, Job, Piece, Told } from '../../adapters/openai/engine.ts'
import { inChat } from '../../adapters/openai/request.ts'
import type { Usage } from '../../books/usage.ts'
import { usageFrom } from '../../books/usage.ts'
import type { EngineFailure } from '../../lines/inference/flow.ts'
import { assert } from '../../units/assert.ts'
import { tokens } from '../../units/quantity.ts'

/** The embedded engine behind its socket, as an engine of the line. It cannot be paused: its batch goes on for others. */
export function llamaEngine(host: Pick<EngineHostClient, 'generate' | 'cancel'>): Engine {
  return {
    generate(job, told) {
      let begun = false
      host.generate(commandOf(job), (report) => {
        for (const one of toldBy(report, begun)) told(one)
        begun ||= report.on === 'begin'
      })
      return { cancel: () => host.cancel(job.id), pause: () => undefined, resume: () => undefined }
    },
    count(job, told) {
      const { messages = [], tools, thinking } = embeddedAsk(inChat(job.request))
      const more = { ...(tools && { tools }), ...(thinking === false && { thinking }) }
      host.generate({ do: 'count', id: job.id, model: job.model, messages, ...more }, (report) => {
        if (report.on === 'counted') told({ kind: 'counted', tokens: tokens(report.tokens), source: 'engine' })
        if (report.on === 'fail') told({ kind: 'failed', failure: { fault: report.fault, message: report.message } })
        if (report.on === 'lost')
          told({
            kind: 'failed',
            failure: { fault: 'unreachable', message: 'the connection to the engine host was lost' },
          })
      })
    },
    close: () => undefined,
  }
}

function commandOf({ id, model, request }: Job): GenerateCommand | EmbedCommand {
  return request.dialect === 'embeddings'
    ? { do: 'embed', id, model, ...embeddedInputs(request) }
    : { do: 'generate', id, model, ...embeddedAsk(inChat(request)) }
}

function toldBy(report: AttemptReport, begun: boolean): Told[] {
  switch (report.on) {
    case 'begin':
      return [{ kind: 'begun', input_uncached: tokens(report.input_uncached), cache_read: tokens(report.cache_read) }]
    case 'step':
      return [
        {
          kind: 'chunk',
          tokens: tokens(report.tokens),
          bytes: piecesOf(report),
        },
      ]
    case 'vector':
      return [{ kind: 'chunk', tokens: tokens(0), bytes: [{ kind: 'vector', index: report.index, data: report.data }] }]
    case 'end':
      return ending(report)
    case 'fail':
      return [failed({ fault: report.fault, message: report.message }, report.count)]
    case 'counted':
      return [] // the answer to another question
    case 'lost':
      return [
        failed({ fault: begun ? 'crashed' : 'unreachable', message: 'the connection to the engine host was lost' }),
      ]
  }
}

function ending(report: AttemptReport & { on: 'end' }): Told[] {
  const usage = usageOf(report.count)
  const text: Told = { kind: 'chunk', tokens: tokens(0), bytes: piecesOf(report) }
  if (report.why === 'cancelled')
    return [text, failed({ fault: 'crashed', message: 'the engine stopped the request' }, report.count)]
  return [
    text,
    { kind: 'chunk', tokens: tokens(0), bytes: [finish(report.why, report.stop)] },
    { kind: 'ended', usage },
  ]
}

const finish = (why: 'stop' | 'length', stop?: string): Piece => ({
  kind: 'finish',
  why,
  ...(stop !== undefined && { stop }),
})

/** Text stands before the calls that came with the same token. */
function piecesOf({ text, calls, likelihoods }: AttemptReport & { on: 'step' | 'end' }): Piece[] {
  const pieces: Piece[] = []
  if (text !== '' || likelihoods) pieces.push({ kind: 'text', text, ...(likelihoods && { likelihoods }) })
  if (calls) pieces.push({ kind: 'calls', calls })
  return pieces
}

const failed = (failure: EngineFailure, count?: EngineCount): Told => ({
  kind: 'failed',
  failure,
  usage: count && usageOf(count),
})

function usageOf(count: EngineCount): Usage {
  assert(count.output >= 0, 'an engine makes no negative tokens')
  return usageFrom('engine', {
    input_uncached: count.input_uncached,
    cache_read: count.cache_read,
    cache_write: 0,
    output_visible: count.output,
    reasoning: 0,
  })
}
