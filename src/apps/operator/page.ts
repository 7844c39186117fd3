import { readFileSync } from 'node:fs'
import { ControlError } from './errors.ts'
import { Answer } from './router.ts'

const types: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
}

/** Nothing from elsewhere, nothing inline, in no frame: what is injected has nowhere to run and nowhere to send. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** One of the page's files; the list is closed, so no path leads anywhere else. */
export function asset(name: string): Answer {
  const type = Object.hasOwn(types, name) ? types[name] : undefined
  if (!type) throw new ControlError('route_not_found', `the page has no ${name.slice(0, 60)}`)
  const text = readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8')
  const headers = {
    'content-type': type,
    'content-security-policy': policy,
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  }
  return new Answer({ status: 200, headers, body: { text } })
}
