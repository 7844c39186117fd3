/**
 * `npm run bench:budget`: four gateway processes, one key with a budget of one dollar, 64 clients that ask until they are
 * refused for good. What was charged must not exceed the budget by a nano-dollar, and nearly all of it must be usable.
 */
import { rmSync } from 'node:fs'
import { startFactory, until } from './load/factory.ts'

const clients = 64
const budget = '1'

interface Statement {
  readonly total_usd: string
  readonly requests: number
  readonly waste: readonly { readonly cause: string; readonly tokens: number }[]
}

const factory = await startFactory({ args: ['--gateways', '4'] })
const codes: Record<string, number> = {}
try {
  await factory.cli('prices', 'set', 'starter', '--input', '10', '--output', '40')
  const made = await factory.cli('keys', 'create', '--tenant', 'acme', '--budget-usd', budget, '-o', 'json')
  const { key } = JSON.parse(made) as { key: string }

  /** Asks again and again; gives up when it was told three times in a row that the budget is used up. */
  const client = async (number: number): Promise<void> => {
    for (let refused = 0; refused < 3; ) {
      const response = await fetch(`${factory.base}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({
          model: 'starter',
          stream: number % 2 === 0,
          messages: [{ role: 'user', content: `My card number ${number} has not arrived yet, where is it now?` }],
        }),
      })
      const body = await response.text()
      const code = response.status === 200 ? 'answered' : (/"code":"(\w+)"/.exec(body)?.[1] ?? String(response.status))
      codes[code] = (codes[code] ?? 0) + 1
      refused = code === 'budget_exhausted' ? refused + 1 : 0
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  const took_s = (performance.now() - began) / 1000

  const check = await until('the books have caught up', async () => {
    const found = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as {
      conserved: boolean
      open: number
      requests: number
      lag: { unreconciled_attempts: number }
    }
    return found.open === 0 && found.lag.unreconciled_attempts === 0 ? found : undefined
  })
  const statement = JSON.parse(
    await factory.cli(
      'books',
      'statement',
      '--tenant',
      'acme',
      '--from',
      '2020-01-01',
      '--to',
      '2099-01-01',
      '-o',
      'json',
    ),
  ) as Statement
  const charged = Number(statement.total_usd)
  const share = charged / Number(budget)
  console.log(
    `${clients} clients, 4 gateways, a budget of $${budget}: ${JSON.stringify(codes)} in ${took_s.toFixed(1)} s`,
  )
  console.log(
    `charged $${statement.total_usd} over ${statement.requests} requests: ${(100 * share).toFixed(2)} % of the budget`,
  )
  console.log(
    `waste by budget_exhausted: ${statement.waste.filter(({ cause }) => cause === 'budget_exhausted').reduce((sum, { tokens }) => sum + tokens, 0)} tokens`,
  )
  console.log(`books conserved: ${check.conserved}`)
  const over = charged > Number(budget)
  console.log(over ? 'FAILED: overspent' : 'within the budget, to the nano-dollar')
  if (over || share < 0.97 || !check.conserved) process.exitCode = 1
} finally {
  await factory.stop()
  rmSync(factory.home, { recursive: true, force: true })
}
