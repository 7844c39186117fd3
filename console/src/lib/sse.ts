/** Server-sent events from text that comes in pieces: the data of each, until `[DONE]`. */
export class Events {
  #rest = ''

  /** The events that a piece completes, in order. What is no JSON is passed over. */
  push(piece: string): unknown[] {
    const lines = (this.#rest + piece).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines.flatMap((line) => {
      const data = /^data: ?(.*)/.exec(line)?.[1]?.trim()
      if (!data || data === '[DONE]') return []
      try {
        return [JSON.parse(data) as unknown]
      } catch {
        return []
      }
    })
  }
}
