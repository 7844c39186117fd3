import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ControlError } from './errors.ts'
import { reach } from './reach.ts'
import { fakeUpstream, lonelyOperator } from './testing.ts'

interface Stated {
  readonly declared: readonly { readonly kind: string; readonly name: string; readonly terms: string }[]
  readonly ended: readonly { readonly name: string }[]
  readonly unchanged: number
  readonly waiting: readonly { readonly at: string | null; readonly message: string; readonly next: string }[]
}

test('a file states costs: what can be is put into force, what is not there yet waits and is told with its line', async () => {
  const operator = await lonelyOperator()
  const factory = await reach(operator.factory.home.root, () => undefined)
  const state = (costs: readonly object[], dry_run = false): Promise<Stated> =>
    factory.json('PUT', '/api/costs', { costs, dry_run }) as Promise<Stated>
  const inForce = async (): Promise<string[]> => {
    const { costs } = (await factory.json('GET', '/api/costs')) as {
      costs: { kind: string; name: string; terms: string }[]
    }
    return costs.map(({ kind, name, terms }) => `${kind} ${name}: ${terms}`)
  }
  const file = [
    { at: 'w.yaml:2', kind: 'staff', name: 'ops', per_month: '730' },
    { at: 'w.yaml:3', kind: 'capacity', name: 'gpu', per_hour: '2' },
    { at: 'w.yaml:4', kind: 'tariff', name: 'board', value: '0.1' },
  ]
  assert.equal((await state(file, true)).declared.length, 2)
  assert.deepEqual(await inForce(), [], 'a try changes nothing')
  const first = await state(file)
  assert.deepEqual(
    first.waiting.map(({ at, message, next }) => [at, message.startsWith('no engine gpu'), next]),
    [['w.yaml:3', true, 'wattmill engines list']],
  )
  assert.deepEqual(await inForce(), ['staff ops: 1 USD/h', 'tariff board: 0.1 USD/kWh'])
  await factory.json('POST', '/api/engines', { name: 'gpu', url: await fakeUpstream(['m']) })
  const again = await state(file)
  assert.deepEqual([again.declared.map(({ name }) => name), again.unchanged, again.waiting], [['gpu'], 2, []])
  const same = await state(file)
  assert.deepEqual([same.declared, same.ended, same.unchanged], [[], [], 3])

  await factory.json('POST', '/api/costs', { kind: 'licence', name: 'by-hand', per_hour: '3' })
  const less = await state([])
  assert.deepEqual(less.ended.map(({ name }) => name).sort(), ['board', 'gpu', 'ops'])
  assert.deepEqual((await inForce()).sort(), [
    'capacity gpu: 0 USD/h',
    'licence by-hand: 3 USD/h',
    'staff ops: 0 USD/h',
  ])
  const history = (await factory.json('GET', '/api/costs/tariff')) as { costs: { terms: string; note: string }[] }
  assert.deepEqual(
    history.costs.map(({ terms, note }) => [terms, note]),
    [
      ['0.1 USD/kWh', ''],
      ['ended', 'no longer in the file'],
    ],
  )
  await assert.rejects(
    state([{ kind: 'staff', per_hour: '1', from: '2027-01-31' }]),
    (error) => error instanceof ControlError && error.code === 'invalid_value',
  )
})
