import type { Command } from 'commander'
import { fields, type Row } from '../print.ts'
import { does, query, show } from '../run.ts'

export function appCommands(program: Command): void {
  const apps = program.command('apps').description('applications of tenants')

  does<{ tenant: string }>(
    apps
      .command('create')
      .description('create an application')
      .argument('<name>')
      .requiredOption('--tenant <name>', 'whose it is; made when new'),
    async (factory, { tenant, ...options }, name) => {
      show(await factory.json('POST', '/api/apps', { tenant, name }), options, fields)
      return undefined
    },
  )

  does<{ tenant?: string }>(
    apps
      .command('list')
      .description('list tenants and their applications')
      .option('--tenant <name>', 'only those of a tenant'),
    async (factory, { tenant, ...options }) => {
      show(await factory.json('GET', `/api/apps${query({ tenant })}`), options, ({ apps }: { apps: Row[] }) => apps)
      return undefined
    },
  )
}
