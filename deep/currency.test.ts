/** A tenant that is billed in euros, in a real browser: its statement, usage and receipts say both, and what was issued stays. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory, until } from '../bench/load/factory.ts'
import { inaccessible, launch, logIn, open, overflow, pictures, type Visitor, visit } from './browser.ts'
import { discard } from './factory.ts'

let factory: Factory
let browser: Browser
let visitor: Visitor
const folder = pictures()
const month = new Date().toISOString().slice(0, 7)

interface Statement {
  readonly total_usd: string
  readonly billing: { readonly total: string; readonly exchange_version: number }
}
const statement = async (...more: string[]): Promise<Statement> =>
  JSON.parse(await factory.cli('books', 'statement', '--tenant', 'acme', '-o', 'json', ...more))

before(async () => {
  ;[factory, browser] = await Promise.all([startFactory(), launch()])
  const made = await factory.cli('keys', 'create', '--tenant', 'acme', '--app', 'support', '-o', 'json')
  const { key } = JSON.parse(made) as { key: string }
  await factory.cli('rates', 'set', 'EUR', '0.923456789012', '--day', `${month}-01`)
  await factory.cli('credits', 'add', 'acme', '5', '--id', 'INV-7')
  for (let number = 0; number < 5; number++) {
    const reply = await fetch(`${factory.base}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'starter', messages: [{ role: 'user', content: `my card ${number}` }] }),
    })
    assert.equal(reply.status, 200)
    await reply.text()
  }
  await until('they are in the books', async () => {
    const { requests } = JSON.parse(await factory.cli('books', 'requests', '-o', 'json')) as { requests: unknown[] }
    return requests.length >= 5 || undefined
  })
  visitor = await visit(browser, factory)
  await logIn(visitor.page, factory)
  await open(visitor.page, factory, 'keys')
  await visitor.page.getByRole('button', { name: 'Change the currency of acme' }).click()
  const dialog = visitor.page.getByRole('dialog', { name: 'Currency of acme' })
  await dialog.getByLabel('Currency').fill('JPY')
  await dialog.getByRole('button', { name: 'Bill in it' }).click()
  await dialog.getByText('there is no rate of JPY').waitFor()
  await visitor.page.screenshot({ path: join(folder, 'currency-refused.png') })
  await dialog.getByLabel('Currency').fill('EUR')
  await dialog.getByRole('button', { name: 'Bill in it' }).click()
  await visitor.page.getByRole('row', { name: /acme.*EUR/ }).waitFor()
  await visitor.page.getByRole('button', { name: 'Log out' }).click()
  await visitor.page.getByLabel('key of your own').fill(key)
  await visitor.page.getByRole('button', { name: 'Log in' }).click()
  await visitor.page.getByText('you are here with it').waitFor()
})
after(async () => {
  await browser?.close()
  await discard(factory)
})

async function look(page: Page, name: string, hash: string, text: string): Promise<void> {
  for (const [colorScheme, width] of [
    ['light', 1440],
    ['dark', 1440],
    ['light', 390],
    ['dark', 390],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 900 })
    await open(page, factory, hash)
    await page.locator('main').getByText(text).first().waitFor()
    const seen = `${name}, ${colorScheme}, ${width} px`
    assert.equal(await overflow(page), 0, `${seen}: wider than its window`)
    if (width > 1000) assert.deepEqual(await inaccessible(page), [], seen)
    await page.screenshot({ path: join(folder, `currency-${name}-${colorScheme}-${width}.png`), fullPage: true })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

test('what the statement page shows is what the command line says, in euros and in dollars', async () => {
  const { page } = visitor
  const { total_usd, billing } = await statement()
  await look(page, 'statements', 'statements', 'EUR for a dollar')
  await page.getByText(`${billing.total} EUR = $${total_usd}`).first().waitFor()
  await page.getByText('Used, EUR').waitFor()
  const [paper] = await Promise.all([page.waitForEvent('popup'), page.getByRole('link', { name: 'To print' }).click()])
  await paper.getByText(`${billing.total} EUR = ${total_usd} USD`).first().waitFor()
  await paper.screenshot({ path: join(folder, 'currency-paper.png'), fullPage: true })
  await paper.close()
})

test('usage and receipts say both', async () => {
  const { page } = visitor
  await look(page, 'usage', 'usage', ' EUR')
  const { billing } = await statement()
  await page.locator('tbody').first().getByText(`${billing.total} EUR`).waitFor()
  await open(page, factory, 'requests?outcome=complete')
  await page.locator('tbody a').first().click()
  const receipt = page.getByRole('dialog', { name: 'Receipt' })
  await receipt.getByText(`at 0.923456789012 for a dollar, of ${month}-01`).waitFor()
  await page.screenshot({ path: join(folder, 'currency-receipt.png') })
  await page.keyboard.press('Escape')
})

test('a rate that is corrected changes what is shown from then on; what was issued is had again by its number', async () => {
  const { page } = visitor
  const to = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
  const issued = await statement('--to', to)
  const correct = ['--correct', '--note', 'a slip']
  await factory.cli('rates', 'set', 'EUR', '0.5', '--day', `${month}-01`, ...correct)
  const now = await statement('--to', to)
  assert.notEqual(now.billing.total, issued.billing.total)
  await open(page, factory, 'statements')
  await page.getByText(`${now.billing.total} EUR = $`).first().waitFor()
  const again = await statement('--to', to, '--exchange', String(issued.billing.exchange_version))
  assert.deepEqual(again, issued)
  assert.deepEqual(visitor.complaints, [])
  console.log(`pictures: ${folder}`)
})
