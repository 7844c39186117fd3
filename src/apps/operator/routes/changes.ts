import Type from 'typebox'
import { type Change, checkChain, listChanges } from '../../../adapters/sqlite/changes/log.ts'
import { type Route, route } from '../router.ts'
import { isoOrNull } from '../when.ts'

export const changeRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/changes',
    role: 'viewer',
    about: 'The log of changes, newest first: who, what, when, before and after, without secrets',
    input: {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'a whole number from 1 to 1000' })),
      before: Type.Optional(Type.Integer({ minimum: 1, description: 'the `next` of the page before' })),
      who: Type.Optional(Type.String({ maxLength: 300 })),
      kind: Type.Optional(Type.String({ maxLength: 100, description: 'such as key, price or engine' })),
    },
    run: ({ store }, { limit = 20, ...wanted }) => {
      const changes = listChanges(store.database, { limit, ...wanted })
      return { changes: changes.map(display), next: changes.length === limit ? (changes.at(-1)?.seq ?? null) : null }
    },
  }),
  route({
    method: 'GET',
    path: '/api/changes/check',
    role: 'viewer',
    about: 'Whether the log of changes is as it was written: its chain of hashes, worked out anew',
    run: ({ store }) => checkChain(store.database),
  }),
]

const display = ({ seq, at_ms, who, action, kind, what, before, after }: Change) => ({
  seq,
  at: isoOrNull(at_ms),
  who,
  action,
  kind,
  what,
  before: parsed(before),
  after: parsed(after),
})

/** Amounts are whole numbers beyond what a float holds: they stay as they are written. */
const parsed = (text: string | null): unknown => text && JSON.parse(text, exact)

function exact(_: string, value: unknown, { source = '' }: { source?: string } = {}): unknown {
  return typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value
}
