import type { Command } from 'commander'
import { fields, type Row } from '../print.ts'
import { does, show } from '../run.ts'
import { whole } from '../values.ts'

export function tenantCommands(program: Command): void {
  const tenants = program.command('tenants').description('tenants, and what they may do by themselves')

  does(
    tenants.command('list').description('list tenants, their keys in force, and how many they may have'),
    async (factory, options) => {
      show(await factory.json('GET', '/api/tenants'), options, ({ tenants }: { tenants: Row[] }) => tenants)
      return undefined
    },
  )

  does<{ keyQuota: number }>(
    tenants
      .command('set')
      .description('let a tenant make keys by itself, in its own view of the console')
      .argument('<name>')
      .requiredOption('--key-quota <n>', 'keys in force that it may have when it makes one; 0: it makes none', whole),
    async (factory, { keyQuota, ...options }, tenant) => {
      show(await factory.json('POST', '/api/tenants', { tenant, key_quota: keyQuota }), options, fields)
      return undefined
    },
  )
}
