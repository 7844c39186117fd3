import { resolve } from 'node:path'
import type { Command } from 'commander'
import { fields, type Row } from '../print.ts'
import { waiting } from '../progress.ts'
import { does, path, show } from '../run.ts'
import { list } from '../values.ts'
import { pullCommand } from './pull.ts'
import { trainCommands } from './train.ts'

const moves = [
  ['load', 'bring a model into memory; the least recently used make room, when their streams have ended'],
  ['unload', 'free a model’s memory when its streams have ended; a request loads it again'],
] as const

export function modelCommands(program: Command): void {
  const models = program.command('models').description('models that clients can ask for')

  does(models.command('list').description('list models, who serves them, what they cost'), async (factory, options) => {
    show(await factory.json('GET', '/api/models'), options, ({ models }: { models: Row[] }) => models)
    return undefined
  })

  does<{ name?: string }>(
    models
      .command('add')
      .description('serve a GGUF file with the embedded engine; the file stays where it is')
      .argument('<file>')
      .option('--name <name>', "what clients ask for (default: the file's name)"),
    async (factory, { name, ...options }, file = '') => {
      const added = await waiting(`loading ${file}`, factory.json('POST', '/api/models', { path: resolve(file), name }))
      show(added, options, ({ notice: _, published: __, ...model }: Row) => fields(model))
      return undefined
    },
  )

  does(
    models.command('show').description('one model: engines, file, price').argument('<name>'),
    async (factory, options, name = '') => {
      show(await factory.json('GET', path`/api/models/${name}`), options, fields)
      return undefined
    },
  )

  pullCommand(models)
  trainCommands(models)

  for (const [verb, about] of moves)
    does(models.command(verb).description(about).argument('<name>'), async (factory, options, name = '') => {
      show(await factory.json('POST', path`/api/models/${name}/${verb}`, {}), options, fields)
      return undefined
    })

  does(
    models.command('remove').description('take a model out of the embedded engine; its file stays').argument('<name>'),
    async (factory, options, name = '') => {
      const gone = await factory.json('DELETE', path`/api/models/${name}`)
      show(gone, options, ({ published: _, ...model }: Row) => fields(model))
      return undefined
    },
  )

  does(
    models
      .command('alias')
      .description('another name for a model; with several models, what answers when no engine serves the first')
      .argument('<name>', 'what clients ask for; the name of a model gives it fallbacks')
      .argument('<models>', 'with commas between them, first choice first'),
    async (factory, options, name = '', chain = '') => {
      const set = await factory.json('POST', '/api/aliases', { name, models: list(chain) })
      show(set, options, ({ published: _, ...alias }: Row) => fields(alias))
      return undefined
    },
  )

  does(models.command('aliases').description('other names of models'), async (factory, options) => {
    show(await factory.json('GET', '/api/aliases'), options, ({ aliases }: { aliases: Row[] }) => aliases)
    return undefined
  })

  does(
    models.command('unalias').description('take an alias away').argument('<name>'),
    async (factory, options, name = '') => {
      const gone = await factory.json('DELETE', path`/api/aliases/${name}`)
      show(gone, options, ({ published: _, ...alias }: Row) => fields(alias))
      return undefined
    },
  )
}
