/** Test only: the Shapley value from its definition, as the judge of the closed form. */

/** Energy of a set of players, given as bits. */
export type Game = (players: number) => number

/** Σ over all sets S without i of |S|! (n − |S| − 1)! / n! × (C(S ∪ i) − C(S)): 2^n evaluations. */
export function exactShapley(game: Game, n: number): number[] {
  const value = Array.from({ length: 2 ** n }, (_, players) => game(players))
  const weight = Array.from({ length: n }, (_, size) => 1 / (n * choose(n - 1, size)))
  return Array.from({ length: n }, (_, i) => {
    let sum = 0
    for (let players = 0; players < 2 ** n; players++)
      if (!(players & (1 << i)))
        sum += (weight[bits(players)] ?? 0) * ((value[players | (1 << i)] ?? 0) - (value[players] ?? 0))
    return sum
  })
}

/** Mean of what each adds to those before it, over orders drawn by chance. */
export function sampledShapley(game: Game, n: number, orders: number, below: (most: number) => number): number[] {
  const sums = new Array<number>(n).fill(0)
  for (let order = 0; order < orders; order++) {
    let players = 0
    let before = game(0)
    for (const i of shuffled(n, below)) {
      players |= 1 << i
      const now = game(players)
      sums[i] = (sums[i] ?? 0) + now - before
      before = now
    }
  }
  return sums.map((sum) => sum / orders)
}

function shuffled(n: number, below: (most: number) => number): number[] {
  const order = Array.from({ length: n }, (_, at) => at)
  for (let at = n - 1; at > 0; at--) {
    const other = below(at + 1)
    ;[order[at], order[other]] = [order[other] as number, order[at] as number]
  }
  return order
}

const bits = (players: number): number => (players === 0 ? 0 : (players & 1) + bits(players >> 1))
const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k)
