import Type from 'typebox'
import { listNotices, type NoticeLine, retryNotice, testNotice } from '../../../adapters/sqlite/notices.ts'
import {
  findWebhook,
  listWebhooks,
  removeWebhook,
  setWebhook,
  type Webhook,
} from '../../../adapters/sqlite/registry/webhooks.ts'
import { noticeTypes } from '../../../books/notice.ts'
import { ControlError } from '../errors.ts'
import { secretFrom } from '../probe.ts'
import { type Route, route } from '../router.ts'
import { isoOrNull } from '../when.ts'

export const noticeRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/webhooks',
    role: 'viewer',
    about: 'Who is told when a budget is used up, spend is unusual or the books are broken',
    run: ({ store }) => ({ webhooks: listWebhooks(store) }),
  }),
  route({
    method: 'POST',
    path: '/api/webhooks',
    role: 'admin',
    about: 'Tell a URL, signed as Standard Webhooks has it; setting it again replaces it',
    input: {
      name: Type.String({ minLength: 1, maxLength: 200 }),
      url: Type.String({ maxLength: 2000, description: 'http(s)://…' }),
      secrets_from: Type.Array(Type.String({ maxLength: 500 }), {
        minItems: 1,
        maxItems: 2,
        description: 'env:NAME or file:PATH; two while one takes the place of the other',
      }),
      types: Type.Optional(Type.Array(Type.Enum([...noticeTypes]), { maxItems: noticeTypes.length })),
    },
    run: ({ store, now }, { name, url, secrets_from, types = [] }) => {
      for (const reference of secrets_from) secretFrom(reference)
      return setWebhook(store, { name, url: webhookUrl(url), secrets_from, types } as Webhook, now())
    },
  }),
  route({
    method: 'DELETE',
    path: '/api/webhooks/{name}',
    role: 'admin',
    about: 'Tell it nothing more',
    input: { name: Type.String() },
    run: ({ store }, { name }) => ({ ...removeWebhook(store, name), removed: true }),
  }),
  route({
    method: 'POST',
    path: '/api/webhooks/{name}/test',
    role: 'admin',
    about: 'Send it a notice of type webhook.test; whether it came is in the list of notices',
    input: { name: Type.String() },
    run: ({ store, now }, { name }) => {
      const { id, type } = testNotice(store, findWebhook(store, name).name, now())
      return { id, type, webhook: name }
    },
  }),
  route({
    method: 'GET',
    path: '/api/notices',
    role: 'viewer',
    about: 'What was noticed, newest first, and whom it has reached',
    input: {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'a whole number from 1 to 1000' })),
    },
    run: ({ store }, { limit = 50 }) => ({ noticed: listNotices(store, limit).map(display) }),
  }),
  route({
    method: 'POST',
    path: '/api/notices/{id}/retry',
    role: 'operator',
    about: 'Try again to deliver a notice to those that have not got it',
    input: { id: Type.String() },
    run: ({ store, now }, { id }) => {
      const owed = retryNotice(store, id, now())
      if (owed === 0)
        throw new ControlError('not_found', `nobody waits for a notice ${id}`, {
          param: 'id',
          next: 'wattmill notices list',
        })
      return { id, owed }
    },
  }),
]

function webhookUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const wrong = !url
    ? 'is no URL'
    : !/^https?:$/.test(url.protocol)
      ? 'is not http(s)'
      : url.username || url.password
        ? 'holds a password; a receiver knows us by the signature'
        : undefined
  if (!url || wrong)
    throw new ControlError('invalid_value', `the URL ${wrong}`, {
      param: 'url',
      next: 'Use a URL such as https://ops.example/hooks/wattmill',
    })
  return url.href
}

const display = ({ notice, deliveries }: NoticeLine) => ({
  id: notice.id,
  type: notice.type,
  at: isoOrNull(notice.at_ms),
  data: notice.data,
  deliveries: deliveries.map(({ webhook, attempts, next_ms, delivered_ms, trouble }) => ({
    webhook,
    state: delivered_ms !== null ? 'delivered' : next_ms !== null ? 'owed' : 'given_up',
    attempts,
    next: isoOrNull(next_ms),
    delivered: isoOrNull(delivered_ms),
    trouble,
  })),
})
