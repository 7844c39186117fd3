import { hashOf, type Place, placeOf, withQuery } from './route.ts'

/** The address bar, as state: all that a page shows can be sent as a link. */
export const here = $state({ place: placeOf(location.hash) })

addEventListener('hashchange', () => {
  here.place = placeOf(location.hash)
})

export function go(hash: string): void {
  location.hash = hash
}

/** Changes the query in place: going back leads to the page before, not through every letter that was typed. */
export function setQuery(change: Readonly<Record<string, string>>): void {
  const place: Place = withQuery(here.place, change)
  history.replaceState(null, '', hashOf(place))
  here.place = place
}
