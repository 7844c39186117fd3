/** A seeded stream of numbers in [0, 1): the only randomness the models line knows. */
export type Dice = () => number

/**
 * Mulberry32: 32 bits of state, passes gjrand's small tests, and is the same on every machine.
 * Good enough to shuffle messages and to drop words; never use it for keys.
 */
export function dice(seed: number): Dice {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** As `dice(seed)` stands after so many draws: its state grows by the same number at each. */
export const diceAfter = (seed: number, draws: number): Dice => dice(seed + Math.imul(draws, 0x6d2b79f5))

/** Fisher-Yates, in place. */
export function shuffle<Item>(items: Item[], next: Dice): Item[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1))
    const held = items[last] as Item
    items[last] = items[other] as Item
    items[other] = held
  }
  return items
}

/** One draw from the normal distribution N(0, 1), by Box and Muller. */
export const normal = (next: Dice): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
