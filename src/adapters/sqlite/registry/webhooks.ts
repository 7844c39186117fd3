import type { NoticeType } from '../../../books/notice.ts'
import type { Store } from '../store.ts'
import { all, change, one, RegistryError, run } from './change.ts'
import { checkName } from './names.ts'

export interface Webhook {
  readonly name: string
  readonly url: string
  /** env:NAME or file:PATH, the newest first: all of them sign. */
  readonly secrets_from: readonly string[]
  /** Empty: all. */
  readonly types: readonly NoticeType[]
}

/** Each is told of every notice. */
const mostWebhooks = 20

interface Row {
  readonly name: string
  readonly url: string
  readonly secrets_from: string
  readonly types: string
}

const fromRow = ({ name, url, secrets_from, types }: Row): Webhook => ({
  name,
  url,
  secrets_from: JSON.parse(secrets_from),
  types: JSON.parse(types),
})

export const listWebhooks = (store: Store): Webhook[] =>
  all<Row>(store, 'select name, url, secrets_from, types from webhook order by name').map(fromRow)

export function findWebhook(store: Store, name: string): Webhook {
  const found = listWebhooks(store).find((each) => each.name === name)
  if (!found)
    throw new RegistryError('not_found', `no webhook ${name}`, { param: 'name', next: 'wattmill webhooks list' })
  return found
}

/** Setting it again replaces it; what was not delivered yet goes to the new address. */
export function setWebhook(store: Store, webhook: Webhook, now_ms: number): Webhook {
  checkName('webhook', 'name', webhook.name)
  const { name, url, secrets_from, types } = webhook
  change(store, () => {
    run(
      store,
      `insert into webhook (name, url, secrets_from, types, created_ms) values (?, ?, ?, ?, ?)
       on conflict (name) do update set url = excluded.url, secrets_from = excluded.secrets_from, types = excluded.types`,
      name,
      url,
      JSON.stringify(secrets_from),
      JSON.stringify(types),
      now_ms,
    )
    if (Number(one<{ n: number }>(store, 'select count(*) as n from webhook')?.n) > mostWebhooks)
      throw new RegistryError('conflict', `there are ${mostWebhooks} webhooks already`, {
        next: 'wattmill webhooks list',
      })
  })
  return webhook
}

/** What it has not heard yet it will not hear. */
export function removeWebhook(store: Store, name: string): Webhook {
  const found = findWebhook(store, name)
  change(store, () => run(store, 'delete from webhook where name = ?', name))
  return found
}
