import type { Command } from 'commander'
import { fields } from '../print.ts'
import { does, query, show } from '../run.ts'

interface Budget {
  readonly id: string
  readonly scope: string
  readonly of: string
  readonly unit: string
  readonly per: string
  readonly amount: string
  readonly left: string | null
}

type Set = {
  readonly [Option in
    | 'key'
    | 'app'
    | 'tenant'
    | 'model'
    | 'usd'
    | 'tokens'
    | 'joules'
    | 'requests'
    | 'concurrent'
    | 'per']?: string
}

export function budgetCommands(program: Command): void {
  const budgets = program
    .command('budgets')
    .description('how much keys, applications, tenants and models may use; a budget stops what would exceed it')

  does<Set>(
    budgets
      .command('set')
      .description('set a budget or limit; setting it again replaces it')
      .option('--key <id>', 'binds a key: its id, or its first characters')
      .option('--app <tenant/app>', 'binds an application')
      .option('--tenant <name>', 'binds a tenant')
      .option('--model <name>', 'binds a model, whoever asks for it')
      .option('--usd <amount>', 'dollars, such as 25 or 0.5')
      .option('--tokens <n>', 'tokens')
      .option('--joules <amount>', 'joules, by the estimate of the last hours')
      .option('--requests <n>', 'requests')
      .option('--concurrent <n>', 'requests at once')
      .option('--per <time>', 'when it renews: minute, day, month or never (default: month)'),
    async (factory, { key, app, tenant, model, usd, tokens, joules, requests, concurrent, per, ...options }) => {
      const asked = { key, app, tenant, model, usd, tokens, joules, requests, concurrent, per }
      show(await factory.json('POST', '/api/budgets', asked), options, (budget: Budget) => fields(row(budget)))
      return undefined
    },
  )

  does(budgets.command('list').description('budgets and limits, and what is left'), async (factory, options) => {
    const found = await factory.json('GET', '/api/budgets')
    show(found, options, ({ budgets }: { budgets: Budget[] }) => budgets.map(row))
    return undefined
  })

  does(
    budgets.command('remove').description('take a budget away').argument('<id>', 'as in the list'),
    async (factory, options, id = '') => {
      show(await factory.json('DELETE', `/api/budgets${query({ id })}`), options, ({ id }: Budget) =>
        fields({ id, removed: true }),
      )
      return undefined
    },
  )
}

const row = ({ id, scope, of, unit, per, amount, left }: Budget) => ({ id, scope, of, unit, per, amount, left })
