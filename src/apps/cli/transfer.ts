import { type Progress, progress } from './progress.ts'

/** Progress of bytes through its phases, each with a bar of its own, its pace and about how long it still takes. */
export class TransferProgress {
  readonly #now: () => number
  #phase: { readonly what: string; readonly bar: Progress; readonly from: number; readonly at: number } | undefined

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  tell(what: string, bytes: number, of: number): void {
    if (this.#phase?.what !== what) {
      this.end()
      this.#phase = { what, bar: progress(what, binary), from: bytes, at: this.#now() }
    }
    const { bar, from, at } = this.#phase
    bar.to(bytes, of, pace(bytes - from, of - bytes, (this.#now() - at) / 1000))
  }

  end(): void {
    this.#phase?.bar.end()
    this.#phase = undefined
  }
}

/** `13.0 MiB/s, about 2 min left`; nothing in the first half second, which says little. */
export function pace(done: number, left: number, seconds: number): string {
  if (seconds < 0.5 || done <= 0) return ''
  const rate = done / seconds
  return left > 0 ? `${binary(rate)}/s, about ${duration(left / rate)} left` : `${binary(rate)}/s`
}

/** `45 s`, `12 min`, `3 h`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3600)} h`
}

/** `812 KiB`, `3.41 GiB`. */
export function binary(bytes: number): string {
  const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  const value = bytes / 1024 ** power
  const digits = power === 0 || value >= 100 ? 0 : value < 10 ? 2 : 1
  return `${value.toFixed(digits)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}
