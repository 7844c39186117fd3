/** What the palette offers: a page, a thing or a deed, and where it leads. */
export interface Entry {
  readonly name: string
  readonly kind: string
  readonly href: string
}

/**
 * Entries whose letters hold those that were typed, in their order; the best first. A match at the beginning of a word and
 * one in a piece count more, and a shorter name before a longer one.
 */
export function matching(entries: readonly Entry[], typed: string, most: number): Entry[] {
  const wanted = typed.toLowerCase().replace(/\s+/g, '')
  return entries
    .map((entry, order) => ({ entry, order, score: score(`${entry.name} ${entry.kind}`.toLowerCase(), wanted) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .slice(0, most)
    .map(({ entry }) => entry)
}

/** 0: its letters are not all there. */
function score(text: string, wanted: string): number {
  let [at, sum] = [-1, 1]
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1)
    if (next < 0) return 0
    const begins = next === 0 || /[\s/_.-]/.test(text[next - 1] ?? '')
    sum += next === at + 1 ? 3 : begins ? 2 : 0.5
    at = next
  }
  return sum - text.length / 200
}
