/** Numbers of many requests, one after the other, without an object each. */
export class Column {
  #values = new Float64Array(1024)
  length = 0

  add(value: number): void {
    if (this.length === this.#values.length) {
      const longer = new Float64Array(2 * this.length)
      longer.set(this.#values)
      this.#values = longer
    }
    this.#values[this.length++] = value
  }

  /** Mean and quantiles; null where there is none. */
  spread(): Spread | null {
    if (this.length === 0) return null
    const sorted = this.#values.slice(0, this.length).sort()
    const at = (share: number): number => {
      const place = share * (sorted.length - 1)
      const below = sorted[Math.floor(place)] ?? 0
      const above = sorted[Math.ceil(place)] ?? below
      return below + (above - below) * (place - Math.floor(place))
    }
    let sum = 0
    for (const value of sorted) sum += value
    return { mean: sum / sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), most: at(1) }
  }
}

export interface Spread {
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly most: number
}
