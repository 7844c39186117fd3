import type { Command } from 'commander'
import { fields, type Row } from '../print.ts'
import { does, path, show } from '../run.ts'

export function homeCommands(program: Command): void {
  const homes = program.command('homes').description('homes whose operators share a PostgreSQL')

  does(
    homes.command('list').description('list them, their gateways, and when they were heard of'),
    async (factory, options) => {
      show(await factory.json('GET', '/api/homes'), options, (answer: { homes: Row[] }) => answer.homes)
      return undefined
    },
  )

  does(
    homes
      .command('abandon')
      .description(
        'give up one that is lost: joules, costs of hours and roll-ups wait no longer for what its gateways may have journaled',
      )
      .argument('<number>', 'as in the list'),
    async (factory, options, number = '') => {
      show(await factory.json('POST', path`/api/homes/${number}/abandon`, {}), options, fields)
      return undefined
    },
  )
}
