/**
 * `npm run bench:budget`: four gateway processes, one key with a budget of one dollar, 64 clients that ask until they are
 * refused for good. What was charged must not exceed the budget by a nano-dollar, and nearly all of it must be usable.
 *
 *     npm run bench:budget -- --postgres postgres://…/DATABASE
 *
 * The same between two operators: two homes of two gateways each that share one store, while the operator of either is killed in
 * the middle. Their engine is synthetic: it keeps time and computes nothing.
 */
import { setTimeout as after } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Factory, findProcess, until } from './load/factory.ts'
import { oneHome, twoHomes } from './load/homes.ts'

const clients = 64
const budget = '1'
/** Requests after which an operator is killed: a third and two thirds of what the budget is for. */
const killAfter = [200, 400]

interface Statement {
  readonly total_usd: string
  readonly requests: number
  readonly waste: readonly { readonly cause: string; readonly tokens: number }[]
}

const { values } = parseArgs({ options: { postgres: { type: 'string' } } })
const homes = values.postgres === undefined ? await oneHome() : await twoHomes(values.postgres)
const { factories, model } = homes
const [first] = factories as [Factory]
const codes: Record<string, number> = {}
const killed: number[] = []
try {
  await first.cli('prices', 'set', model, '--input', '10', '--output', '40')
  const made = await first.cli('keys', 'create', '--tenant', 'acme', '--budget-usd', budget, '-o', 'json')
  const { key } = JSON.parse(made) as { key: string }
  for (const { base } of factories)
    await until('its gateways know the key', async () => {
      const answer = await fetch(`${base}/v1/models`, {
        headers: { authorization: `Bearer ${key}`, connection: 'close' },
      })
      await answer.arrayBuffer()
      return answer.status === 200 || undefined
    })
  let answered = 0

  /** Of two homes the one and the other, each once. */
  const killOne = (): void => {
    if (factories.length < 2 || answered < (killAfter[killed.length] ?? Number.POSITIVE_INFINITY)) return
    const operator = findProcess(factories[killed.length % factories.length]?.pid ?? 0, 'operator')
    if (operator === undefined) return
    process.kill(operator, 'SIGKILL')
    killed.push(answered)
  }

  /** Asks again and again; gives up when it was told three times in a row that the budget is used up. */
  const client = async (number: number): Promise<void> => {
    const { base } = factories[number % factories.length] as Factory
    for (let refused = 0; refused < 3; ) {
      const response = await fetch(`${base}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({
          model,
          stream: number % 4 < 2,
          messages: [{ role: 'user', content: `My card number ${number} has not arrived yet, where is it now?` }],
        }),
      })
      const body = await response.text()
      const code = response.status === 200 ? 'answered' : (/"code":"(\w+)"/.exec(body)?.[1] ?? String(response.status))
      codes[code] = (codes[code] ?? 0) + 1
      if (code === 'answered') answered++
      killOne()
      refused = code === 'budget_exhausted' ? refused + 1 : 0
      await after(Number(response.headers.get('retry-after-ms') ?? 0))
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  const took_s = (performance.now() - began) / 1000

  const check = await until('the books have caught up', async () => {
    const found = JSON.parse(await first.cli('books', 'check', '-o', 'json')) as {
      conserved: boolean
      open: number
      requests: number
      lag: { unreconciled_attempts: number }
    }
    return found.open === 0 && found.lag.unreconciled_attempts === 0 ? found : undefined
  })
  const span = ['--from', '2020-01-01', '--to', '2099-01-01']
  const told = await first.cli('books', 'statement', '--tenant', 'acme', ...span, '-o', 'json')
  const statement = JSON.parse(told) as Statement
  const charged = Number(statement.total_usd)
  const share = charged / Number(budget)
  console.log(
    `${clients} clients, 4 gateways, ${factories.length} operators, a budget of $${budget}: ${JSON.stringify(codes)} in ${took_s.toFixed(1)} s`,
  )
  if (killed.length > 0) console.log(`operators killed (SIGKILL) after ${killed.join(' and ')} answers`)
  console.log(
    `charged $${statement.total_usd} over ${statement.requests} requests: ${(100 * share).toFixed(2)} % of the budget`,
  )
  console.log(
    `waste by budget_exhausted: ${statement.waste.filter(({ cause }) => cause === 'budget_exhausted').reduce((sum, { tokens }) => sum + tokens, 0)} tokens`,
  )
  console.log(`books conserved: ${check.conserved}`)
  const over = charged > Number(budget)
  console.log(over ? 'FAILED: overspent' : 'within the budget, to the nano-dollar')
  const all = factories.length === 1 || killed.length === killAfter.length
  if (!all) console.log('FAILED: not every operator was killed')
  if (over || share < 0.97 || !check.conserved || !all) process.exitCode = 1
} finally {
  await homes.stop()
}
