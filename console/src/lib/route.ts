/** Where one is: `#/models/qwen%2F7b?range=24h` is the page `models`, the name `qwen/7b` and a query. */
export interface Place {
  readonly page: string
  /** What of the page: a name or an id; empty: all of it. */
  readonly of: string
  readonly query: Readonly<Record<string, string>>
}

export function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2)
  const [page = '', ...rest] = path.split('/')
  return { page, of: rest.map(decoded).join('/'), query: Object.fromEntries(new URLSearchParams(query)) }
}

export function hashOf({ page, of, query }: Place): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString()
  return `#/${page}${of === '' ? '' : `/${encodeURIComponent(of)}`}${search === '' ? '' : `?${search}`}`
}

/** A link to a page. */
export const to = (page: string, of = '', query: Readonly<Record<string, string>> = {}): string =>
  hashOf({ page, of, query })

/** The same place with another query: an empty value takes a name out. */
export const withQuery = (place: Place, change: Readonly<Record<string, string>>): Place => ({
  ...place,
  query: Object.fromEntries(Object.entries({ ...place.query, ...change }).filter(([, value]) => value !== '')),
})

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
