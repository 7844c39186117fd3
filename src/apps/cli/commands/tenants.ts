import type { Command } from 'commander'
import { ControlError } from '../../operator/errors.ts'
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

  does<{ keyQuota?: number; currency?: string; from?: string; note?: string }>(
    tenants
      .command('set')
      .description('let a tenant make keys by itself, in its own view of the console; or bill it in another currency')
      .argument('<name>')
      .option('--key-quota <n>', 'keys in force that it may have when it makes one; 0: it makes none', whole)
      .option('--currency <code>', 'ISO 4217, such as EUR, of which there are rates (`rates set`); or USD')
      .option('--from <date>', 'with --currency: the first of a month, such as 2027-01-01 (default: of this one)')
      .option('--note <text>', 'with --currency: why, for whoever reads the history'),
    async (factory, { keyQuota, currency, from, note, ...options }, tenant) => {
      if (keyQuota === undefined && currency === undefined)
        throw new ControlError('invalid_value', 'give what is to be set: --key-quota N, or --currency CODE')
      if (keyQuota !== undefined)
        show(await factory.json('POST', '/api/tenants', { tenant, key_quota: keyQuota }), options, fields)
      if (currency !== undefined)
        show(
          await factory.json('PUT', '/api/tenants/currency', { tenant, currency, from, note }),
          options,
          ({ currencies }: { currencies: Row[] }) => currencies,
        )
      return undefined
    },
  )
}
