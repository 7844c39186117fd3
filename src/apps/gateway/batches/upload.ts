import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { Incoming } from '../../../adapters/files/tenant-files.ts'
import type { FormEvent } from '../../../adapters/http/multipart.ts'
import { boundaryIn, FormError, MultipartForm } from '../../../adapters/http/multipart.ts'
import { refuse } from './asking.ts'

/** A form's fields, and how many bytes of its file were taken. */
export interface Uploaded {
  readonly fields: ReadonlyMap<string, string>
  readonly filename: string
}

export interface UploadBounds {
  readonly bytes: number
  /** Said of a file that is larger: whose bound it is. */
  tooLarge(): never
  /** From the end of the headers to the end of the form. */
  readonly ms: number
}

const mostFieldBytes = 4096

/** A form whose file goes on to the disk as it comes: only so much is read as the disk has taken. */
export async function readUpload(request: IncomingMessage, to: Incoming, bounds: UploadBounds): Promise<Uploaded> {
  const boundary =
    boundaryIn(request.headers['content-type']) ?? refuse('invalid_form', 'the body is not multipart/form-data')
  const form = new MultipartForm(boundary)
  const parts = new Parts(to, bounds)
  for await (const chunk of within(request, bounds.ms)) for (const event of fed(form, chunk)) await parts.take(event)
  if (!form.isWhole) refuse('invalid_form', 'the form breaks off before its last boundary')
  return parts.whole()
}

function fed(form: MultipartForm, chunk: Buffer): FormEvent[] {
  try {
    return form.feed(chunk)
  } catch (error) {
    if (error instanceof FormError) refuse('invalid_form', error.message)
    throw error
  }
}

/** The body as it comes; a body that drips holds a socket and a place. It is left open, for the answer. */
async function* within(request: IncomingMessage, ms: number): AsyncGenerator<Buffer> {
  const late = Promise.withResolvers<never>()
  late.promise.catch(() => undefined)
  const timer = setTimeout(() => late.reject(new Late()), ms)
  const body = (request as Readable).iterator({ destroyOnReturn: false })
  try {
    for (;;) {
      const next = (await Promise.race([body.next(), late.promise])) as IteratorResult<Buffer>
      if (next.done) return
      yield next.value
    }
  } catch (error) {
    if (error instanceof Late) refuse('body_timeout', `the body was not whole after ${ms / 1000} s`)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

class Late extends Error {}

class Parts {
  readonly #to: Incoming
  readonly #bounds: UploadBounds
  readonly #fields = new Map<string, string>()
  #name = ''
  #value: Buffer[] = []
  #size = 0
  #bytes = 0
  #filename: string | undefined

  constructor(to: Incoming, bounds: UploadBounds) {
    this.#to = to
    this.#bounds = bounds
  }

  async take(event: FormEvent): Promise<void> {
    switch (event.kind) {
      case 'part':
        return this.#begin(event)
      case 'data':
        return this.#name === 'file' ? this.#file(event.bytes) : this.#field(event.bytes)
      case 'end':
        if (this.#name !== 'file') this.#fields.set(this.#name, Buffer.concat(this.#value).toString('utf8'))
    }
  }

  whole(): Uploaded {
    const filename = this.#filename ?? refuse('invalid_value', 'the form has no "file"', { param: 'file' })
    return { fields: this.#fields, filename }
  }

  #begin({ name, filename }: FormEvent & { kind: 'part' }): void {
    if (name === 'file' && this.#filename !== undefined)
      refuse('invalid_form', 'the form has more than one "file"', { param: 'file' })
    if (name === 'file') this.#filename = (filename ?? 'file').slice(0, 255)
    this.#name = name
    this.#value = []
    this.#size = 0
  }

  #file(bytes: Buffer): Promise<void> {
    this.#bytes += bytes.length
    if (this.#bytes > this.#bounds.bytes) this.#bounds.tooLarge()
    return this.#to.write(bytes)
  }

  #field(bytes: Buffer): void {
    this.#size += bytes.length
    if (this.#size > mostFieldBytes) refuse('invalid_form', `the field "${this.#name.slice(0, 50)}" is too long`)
    this.#value.push(bytes)
  }
}
