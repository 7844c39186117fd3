/**
 * The store's statements are written once, as SQLite reads them. What PostgreSQL spells differently is put in its words
 * here; the table is short because statements keep to what both understand.
 */
const spellings: readonly (readonly [RegExp, string])[] = [
  [/\binstr\(/g, 'strpos('],
  [/\btotal\((\w+)\)/g, 'coalesce(sum($1), 0)'],
  [/\bjson_extract\((\w+(?:\.\w+)?), '\$\.(\w+)'\)/g, "(($1)::json->>'$2')::bigint"],
  [/\blimit -1\b/g, 'limit all'],
  // A value that is only asked whether it is there has no type of its own.
  [/(\$\d+) is null/g, '$1::text is null'],
  // SQLite reads the digits that a text begins with.
  [/\bcast\((.+) as integer\)/g, "substring($1 from '^[0-9]+')::bigint"],
]

/** Placeholders by number: `?` counts up, `?2` is the second. Text between quotes is left as it is. */
export function inPostgres(sql: string): string {
  let next = 0
  const numbered = sql.replace(/'(?:[^']|'')*'|\?(\d*)/g, (found, given?: string) => {
    if (found.startsWith("'")) return found
    if (!given) next++
    return `$${given || next}`
  })
  return spellings.reduce((text, [from, to]) => text.replace(from, to), numbered)
}
