import { basename } from 'node:path'
import type { Command } from 'commander'
import { fields, type Row } from '../print.ts'
import { rateFile } from '../rate-file.ts'
import { does, query, show } from '../run.ts'

interface Declare {
  readonly correct?: boolean
  readonly note?: string
}

export function rateCommands(program: Command): void {
  const rates = program
    .command('rates')
    .description('exchange rates of currencies in which tenants are billed: declared, numbered, and never changed')

  does<Declare & { day?: string }>(
    correcting(
      rates
        .command('set')
        .description('declare a rate, from a day on until the next day that has one')
        .argument('<currency>', 'ISO 4217, such as EUR')
        .argument('<rate>', 'of it for a dollar, such as 0.9234')
        .option('--day <date>', 'such as 2027-01-31 (UTC; default: today)'),
    ),
    async (factory, { day = today(), correct, note, ...options }, currency, rate) => {
      const asked = { currency, rates: [{ day, rate }], correct, note }
      show(await factory.json('POST', '/api/rates', asked), options, (done: Row) => fields(done))
      return undefined
    },
  )

  does<Declare>(
    correcting(
      rates
        .command('import')
        .description('declare the rates of a CSV file with the columns day,rate, all of them or none')
        .argument('<currency>', 'ISO 4217, such as EUR')
        .argument('<file>', 'such as eur.csv'),
    ),
    async (factory, { correct, note, ...options }, currency, file = '') => {
      const asked = {
        currency,
        rates: rateFile(file),
        correct,
        note: note ?? (correct ? undefined : `from ${basename(file)}`),
      }
      show(await factory.json('POST', '/api/rates', asked), options, (done: Row) => fields(done))
      return undefined
    },
  )

  does<{ currency?: string }>(
    rates
      .command('list')
      .description('rates by day, each with the number of its declaration; corrected ones too')
      .option('--currency <code>', 'of this one alone'),
    async (factory, { currency, ...options }) => {
      const found = await factory.json('GET', `/api/rates${query({ currency })}`)
      show(found, options, (answer: { rates: Row[] }) => answer.rates)
      return undefined
    },
  )
}

const correcting = (command: Command): Command =>
  command
    .option('--correct', 'days that have another rate get this one; it counts from the next statement on')
    .option('--note <text>', 'where it is from; of a correction, why it is made')

const today = (): string => new Date().toISOString().slice(0, 10)
