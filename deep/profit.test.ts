/** Profit and loss in a real browser: three hours of a factory with every kind of cost, and the way down to each transfer. */
import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory } from '../bench/load/factory.ts'
import { makeHome } from '../src/adapters/files/home.ts'
import { sumOldHour } from '../src/adapters/sqlite/costs/pnl-sums.ts'
import { begin_ms, booked } from '../src/adapters/sqlite/costs/testing-hours.ts'
import { inaccessible, launch, logIn, open, overflow, pictures, type Visitor, visit } from './browser.ts'
import { discard } from './factory.ts'

let factory: Factory
let browser: Browser
let visitor: Visitor
const folder = pictures()
const date = (at_ms: number): string => new Date(at_ms).toISOString().slice(0, 10)
const hash = `profit?from=${date(begin_ms)}&to=${date(begin_ms + 86_400_000)}`

before(async () => {
  const root = mkdtempSync(join(tmpdir(), 'wattmill-profit-'))
  const { store } = booked({ ...makeHome(root), [Symbol.dispose]: () => undefined }, 8)
  while (sumOldHour(store));
  store.close()
  ;[factory, browser] = await Promise.all([startFactory({ home: root }), launch()])
  visitor = await visit(browser, factory)
  await logIn(visitor.page, factory)
})
after(async () => {
  await browser?.close()
  await discard(factory)
})

test('the page says what was earned and what it cost, and that it adds up, in every view', async () => {
  const { page } = visitor
  for (const [colorScheme, width] of [
    ['light', 1440],
    ['dark', 1440],
    ['light', 390],
    ['dark', 390],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 900 })
    await open(page, factory, hash)
    await page.getByText('Worked out = posted = borne').waitFor()
    await page.getByLabel(/^capacity gpu to idle: \$/).waitFor()
    const seen = `${colorScheme}, ${width} px`
    assert.equal(await overflow(page), 0, `${seen}: wider than its window`)
    if (width > 1000) assert.deepEqual(await inaccessible(page), [], seen)
    await page.screenshot({ path: join(folder, `profit-${colorScheme}-${width}.png`), fullPage: true })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
})

test('what is shown is what the command line says', async () => {
  const { page } = visitor
  await open(page, factory, hash)
  const told = JSON.parse(
    await factory.cli('books', 'pnl', '--from', date(begin_ms), '--to', date(begin_ms + 86_400_000), '-o', 'json'),
  ) as { revenue_usd: string; idle_usd: string; tenants: { rows: { name: string; usd: string }[] } }
  const cell = (name: string) => page.getByRole('row', { name }).getByRole('link').first().textContent()
  assert.equal(await cell('Revenue'), `$${told.revenue_usd}`)
  assert.equal(await cell('Idle'), `$${told.idle_usd}`)
  for (const { name, usd } of told.tenants.rows) {
    const row = page.locator('section', { hasText: 'By tenant' }).getByRole('row', { name })
    assert((await row.textContent())?.includes(`$${usd}`), name)
  }
})

test('a band leads to its transfers, which add up to it; a charge leads to its receipt', async () => {
  const { page } = visitor
  await open(page, factory, hash)
  const band = page.getByLabel(/^capacity gpu to idle: /)
  await band.focus()
  await page.keyboard.press('Enter')
  const transfers = page.locator('#transfers')
  await transfers.getByText('out of capacity gpu, into cost idle').waitFor()
  const { flows } = JSON.parse(
    await factory.cli('books', 'flows', '--from', date(begin_ms), '--to', date(begin_ms + 86_400_000), '-o', 'json'),
  ) as { flows: { from: string; to: string; amount: string }[] }
  const idle = flows.find(({ from, to }) => from === 'capacity/gpu' && to === 'idle')
  await transfers.getByText(`This page: $${idle?.amount}.`).waitFor()
  assert.equal(await transfers.getByRole('row').count(), 4, 'three hours, and their heads')
  await page.screenshot({ path: join(folder, 'profit-transfers.png'), fullPage: true })
  await page.getByRole('row', { name: 'Revenue' }).first().getByRole('link').click()
  await transfers.getByText('into revenue').waitFor()
  await transfers.getByRole('row').nth(1).getByRole('link').click()
  await page.waitForURL(/#\/requests\//)
  await page.getByText('Receipt').first().waitFor()
})

test('the page asked nobody but its factory, and gave no error', () => {
  assert.deepEqual(visitor.complaints, [])
  console.log(`pictures: ${folder}`)
})
