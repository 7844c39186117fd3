import type { Command } from 'commander'
import { noticeTypes } from '../../../books/notice.ts'
import { fields } from '../print.ts'
import { does, path, query, show } from '../run.ts'

interface Webhook {
  readonly name: string
  readonly url: string
  readonly secrets_from: readonly string[]
  readonly types: readonly string[]
}

interface Notice {
  readonly id: string
  readonly type: string
  readonly at: string
  readonly data: Readonly<Record<string, unknown>>
  readonly deliveries: readonly { readonly webhook: string; readonly state: string; readonly trouble: string | null }[]
}

export function noticeCommands(program: Command): void {
  const webhooks = program
    .command('webhooks')
    .description('who is told when a budget is used up, spend is unusual or the books are broken')

  does<{ url: string; secretFrom: string[]; type?: string[] }>(
    webhooks
      .command('set')
      .description('tell a URL, signed as Standard Webhooks has it; setting it again replaces it')
      .argument('<name>', 'how lists call it')
      .requiredOption('--url <url>', 'http(s)://…')
      .requiredOption('--secret-from <ref...>', 'env:NAME or file:PATH; a second one while the first takes its place')
      .option('--type <type...>', `only of these: ${noticeTypes.join(', ')}`),
    async (factory, { url, secretFrom, type, ...options }, name = '') => {
      const asked = { name, url, secrets_from: secretFrom, types: type }
      show(await factory.json('POST', '/api/webhooks', asked), options, (one: Webhook) => fields(hook(one)))
      return undefined
    },
  )

  does(webhooks.command('list').description('list webhooks'), async (factory, options) => {
    show(await factory.json('GET', '/api/webhooks'), options, ({ webhooks }: { webhooks: Webhook[] }) =>
      webhooks.map(hook),
    )
    return undefined
  })

  does(
    webhooks.command('remove').description('tell it nothing more').argument('<name>', 'its name'),
    async (factory, options, name = '') => {
      show(await factory.json('DELETE', path`/api/webhooks/${name}`), options, (one: Webhook) => fields(hook(one)))
      return undefined
    },
  )

  does(
    webhooks
      .command('test')
      .description('send it a notice; `wattmill notices list` says whether it came')
      .argument('<name>', 'its name'),
    async (factory, options, name = '') => {
      show(await factory.json('POST', path`/api/webhooks/${name}/test`, {}), options, (one: object) =>
        fields({ ...one }),
      )
      return undefined
    },
  )

  const notices = program.command('notices').description('what was noticed, and whom it has reached')

  does<{ limit?: string }>(
    notices.command('list').description('newest first').option('-n, --limit <n>', 'how many (default: 50)'),
    async (factory, { limit, ...options }) => {
      const found = await factory.json('GET', `/api/notices${query({ limit })}`)
      show(found, options, ({ noticed }: { noticed: Notice[] }) => noticed.map(line))
      return undefined
    },
  )

  does(
    notices
      .command('retry')
      .description('deliver a notice to those that have not got it')
      .argument('<id>', 'as in the list'),
    async (factory, options, id = '') => {
      show(await factory.json('POST', path`/api/notices/${id}/retry`, {}), options, (one: object) => fields({ ...one }))
      return undefined
    },
  )
}

const hook = ({ name, url, secrets_from, types }: Webhook) => ({
  name,
  url,
  secrets_from: secrets_from.join(', '),
  types: types.length === 0 ? 'all' : types.join(', '),
})

const line = ({ id, type, at, data, deliveries }: Notice) => ({
  id,
  type,
  at,
  about: Object.entries(data)
    .map(([name, value]) => `${name}=${value}`)
    .join(' '),
  reached: deliveries.map(({ webhook, state, trouble }) => `${webhook}: ${trouble ?? state}`).join('; ') || '-',
})
