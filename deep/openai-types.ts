/**
 * What we write and read, held against the types of OpenAI's own client: that this compiles is the test. A field that is missing,
 * misnamed or of another type in what we send does not compile; nor does one that their client sends and we would refuse.
 */
import type OpenAI from 'openai'
import type { CursorPageResponse, PageResponse } from 'openai/core/pagination'
import type { ErrorBody } from '../src/adapters/http/errors.ts'
import type { OpenaiFields } from '../src/adapters/openai/fields.ts'
import type { Prompts } from '../src/adapters/openai/request.ts'
import type { ReasoningFields, ResponsesFields } from '../src/adapters/openai/responses/fields.ts'
import type { PartType, Role } from '../src/adapters/openai/responses/items.ts'
import type * as Items from '../src/adapters/openai/responses/wire.ts'
import type * as Wire from '../src/adapters/openai/wire.ts'

/** Compiles when the first is one of the second. */
type Is<One extends Other, Other> = One
/** Compiles when nothing is left. */
type None<Left extends never> = Left
/** Their types are of what may be changed, ours of what may not. */
type Writable<T> = T extends object ? { -readonly [Field in keyof T]: Writable<T[Field]> } : T
/** The names of ours, at whatever depth, that theirs does not know: a misspelt one where theirs may be missing. */
type Strange<Ours, Theirs> = Ours extends readonly (infer One)[]
  ? Strange<One, Theirs extends readonly (infer Other)[] ? Other : never>
  : Ours extends object
    ? {
        [Name in keyof Ours]-?: Name extends NamesOf<Theirs> ? Strange<Ours[Name], At<Theirs, Name>> : Name
      }[keyof Ours]
    : never
type NamesOf<Some> = Some extends object ? keyof Some : never
type At<Some, Name extends PropertyKey> = Some extends { [Each in Name]?: infer Value } ? Value : never
/** Stands beside what is theirs: what it cost, how other engines name a thought; `store` their service says, and their type does not. */
type Ours = 'wattmill' | 'reasoning_content'
/** On pages, for who reads them without their library. */
type OfPages = 'object' | 'first_id' | 'last_id'
/** What of some parameters is looked at. */
type Seen<Params, Fields> = Pick<Params, keyof Params & keyof Fields>

/**
 * Where OpenAI's own service does otherwise than the types of its client, we do as the service: a chunk of a completion has no reason to
 * end yet, and no usage; a response has no usage before it is over.
 */
type AtItsEnd<Chunk extends Wire.TextChunk> = Omit<Chunk, 'choices' | 'usage'> & {
  readonly choices: readonly (Omit<Chunk['choices'][number], 'finish_reason'> & {
    readonly finish_reason: NonNullable<Chunk['choices'][number]['finish_reason']>
  })[]
  readonly usage?: NonNullable<Chunk['usage']>
}

export type Sent = [
  Is<Writable<Wire.ChatCompletion>, OpenAI.ChatCompletion>,
  Is<Writable<Wire.ChatChunk>, OpenAI.ChatCompletionChunk>,
  Is<Writable<Wire.TextCompletion>, OpenAI.Completion>,
  Is<Writable<AtItsEnd<Wire.TextChunk>>, OpenAI.Completion>,
  Is<Writable<Wire.Embeddings<readonly number[]>>, OpenAI.CreateEmbeddingResponse>,
  Is<Writable<Omit<Wire.Embedding<string>, 'embedding'>>, Omit<OpenAI.Embedding, 'embedding'>>,
  Is<Writable<Wire.Model>, OpenAI.Model>,
  Is<Writable<Wire.List<Wire.Model>>, PageResponse<OpenAI.Model>>,
  Is<Writable<Wire.FileObject>, OpenAI.FileObject>,
  Is<Writable<Wire.Page<Wire.FileObject>>, CursorPageResponse<OpenAI.FileObject>>,
  Is<Writable<Wire.FileDeleted>, OpenAI.FileDeleted>,
  Is<Writable<Wire.BatchObject>, OpenAI.Batch>,
  Is<Writable<Wire.Page<Wire.BatchObject>>, CursorPageResponse<OpenAI.Batch>>,
  Is<ErrorBody['error'], OpenAI.ErrorObject>,
]

export type Names = [
  None<Exclude<Strange<Wire.ChatCompletion, OpenAI.ChatCompletion>, Ours>>,
  None<Exclude<Strange<Wire.ChatChunk, OpenAI.ChatCompletionChunk>, Ours>>,
  None<Exclude<Strange<Wire.TextCompletion, OpenAI.Completion>, Ours>>,
  None<Exclude<Strange<Wire.TextChunk, OpenAI.Completion>, Ours>>,
  None<Strange<Wire.Embeddings, OpenAI.CreateEmbeddingResponse>>,
  None<Strange<Wire.Model, OpenAI.Model>>,
  None<Exclude<Strange<Wire.Page<Wire.FileObject>, CursorPageResponse<OpenAI.FileObject>>, OfPages>>,
  None<Exclude<Strange<Wire.Page<Wire.BatchObject>, CursorPageResponse<OpenAI.Batch>>, OfPages>>,
  None<Strange<ErrorBody['error'], OpenAI.ErrorObject>>,
  None<Exclude<Strange<Known<Items.WireResponse>, OpenAI.Responses.Response>, Ours | 'store'>>,
]

/** Echoed as the client sent them; the client's library adds `output_text` itself. */
type Echoed = 'tools' | 'tool_choice' | 'text' | 'reasoning' | 'service_tier' | 'output_text'
type Known<Whole> = Omit<Whole, Echoed | 'usage'>
type Events = OpenAI.Responses.ResponseStreamEvent

/** Each event of ours is one of theirs of the same type; those that carry a response, but for it. */
type Numbered = Writable<Items.ResponseEvent & { readonly sequence_number: number }>
type Bare<Event> = Event extends { response: unknown } ? Omit<Event, 'response'> : Event

export type Responses = [
  Is<Writable<Known<Items.WireResponse>>, Known<OpenAI.Responses.Response>>,
  Is<Writable<NonNullable<Items.WireResponse['usage']>>, OpenAI.Responses.ResponseUsage>,
  Is<Writable<Items.OutputItem>, OpenAI.Responses.ResponseOutputItem>,
  Is<Bare<Numbered>, Bare<Events>>,
  None<Exclude<Items.ResponseEvent['type'], Events['type']>>,
]

type Chat = OpenAI.ChatCompletionCreateParams
type Text = OpenAI.CompletionCreateParams
type Vectors = OpenAI.EmbeddingCreateParams
type Asked = OpenAI.Responses.ResponseCreateParams

/** Of engines that speak the same language and more. */
type OfEngines = 'min_p' | 'top_k'

export type Taken = [
  Is<Seen<Chat, OpenaiFields>, OpenaiFields>,
  Is<Seen<Text, OpenaiFields>, OpenaiFields>,
  Is<Seen<Vectors, OpenaiFields>, OpenaiFields>,
  None<Exclude<keyof OpenaiFields, keyof Chat | keyof Text | keyof Vectors | OfEngines>>,
  Is<Pick<Chat, 'messages'>, Prompts['chat']>,
  // No engine here goes on from nothing.
  Is<{ prompt: NonNullable<Text['prompt']> }, Prompts['text']>,
  Is<Pick<Vectors, 'input'>, Prompts['embeddings']>,
  Is<Seen<Asked, ResponsesFields>, ResponsesFields>,
  None<Exclude<keyof ResponsesFields, keyof Asked>>,
  Is<Seen<OpenAI.Reasoning, ReasoningFields>, ReasoningFields>,
  Is<OpenAI.Responses.EasyInputMessage['role'], Role>,
  Is<OpenAI.Responses.ResponseInputContent['type'], PartType>,
  Is<OpenAI.Responses.ResponseOutputMessage['content'][number]['type'], PartType>,
]
