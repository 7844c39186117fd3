import { type Meter, type MeterReader, openMeter } from './meter.ts'
import type { Store } from './store.ts'

/** The meters that are read now: a new one begins its file, one that is gone leaves its file as it is. */
export class OpenMeters {
  readonly #store: Store
  readonly #folder: string
  readonly #open = new Map<string, { readonly reader: MeterReader; readonly meter: Meter }>()

  constructor(store: Store, folder: string) {
    this.#store = store
    this.#folder = folder
  }

  get names(): readonly string[] {
    return [...this.#open.keys()]
  }

  /** Opens and closes as needed, then takes one sample of each. */
  sample(readers: readonly MeterReader[], now_ms: number): void {
    const wanted = new Map(readers.map((reader) => [reader.meter, reader]))
    for (const [name, { reader, meter }] of this.#open) {
      if (wanted.get(name) === reader) continue
      meter.close()
      this.#open.delete(name)
    }
    for (const [name, reader] of wanted)
      if (!this.#open.has(name)) this.#open.set(name, { reader, meter: openMeter(this.#store, this.#folder, reader) })
    for (const { meter } of this.#open.values()) meter.sample(now_ms)
  }

  close(): void {
    for (const { meter } of this.#open.values()) meter.close()
    this.#open.clear()
  }
}
