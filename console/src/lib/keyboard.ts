/** The keyboard, wherever one is: rows by j and k, pages by g and a letter, search by /. */
import { go } from './here.svelte.ts'
import type { Entry } from './pages.ts'
import { to } from './route.ts'

/** In a field letters are letters. */
const writing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** How long after `g` its second letter is waited for. */
const second_ms = 1500

interface Wishes {
  palette(): void
  help(): void
}

/** Listens until the function that it returns is called. */
export function listen(pages: readonly Entry[], { palette, help }: Wishes): () => void {
  let leader = 0
  const pressed = (event: KeyboardEvent): void => {
    if (event.key.toLowerCase() === 'k' && (event.metaKey || event.ctrlKey)) {
      event.preventDefault()
      return palette()
    }
    if (
      event.metaKey ||
      event.ctrlKey ||
      event.altKey ||
      writing(event.target) ||
      document.querySelector('dialog[open]')
    )
      return
    const after = Date.now() - leader < second_ms
    leader = 0
    const page = after ? pages.find(({ key }) => key === event.key) : undefined
    if (page) return go(to(page.page))
    const deed = deeds[event.key]
    if (event.key === 'g') leader = Date.now()
    else if (event.key === '?') help()
    else if (!deed) return
    else deed()
    event.preventDefault()
  }
  addEventListener('keydown', pressed)
  return () => removeEventListener('keydown', pressed)
}

const deeds: Readonly<Record<string, () => void>> = {
  j: () => step(1),
  k: () => step(-1),
  '/': () => document.querySelector<HTMLInputElement>('main [data-search], main input:not([type])')?.focus(),
}

/** The link of the next row of the page's tables; Enter is the browser's. */
function step(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))
  rows[next]?.focus()
  rows[next]?.scrollIntoView({ block: 'nearest' })
}
