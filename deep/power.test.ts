/** Limits of power in a real browser: set, refused, seen to bind, lowered for a time, removed. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { startMock } from '../bench/gateway/peers.ts'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory } from '../bench/load/factory.ts'
import { inaccessible, launch, logIn, open, overflow, pictures, type Visitor, visit } from './browser.ts'
import { discard } from './factory.ts'

let factory: Factory
let browser: Browser
let visitor: Visitor
let upstream: Awaited<ReturnType<typeof startMock>>
const folder = pictures()

before(async () => {
  ;[factory, browser, upstream] = await Promise.all([startFactory(), launch(), startMock(0)])
  // Two boards as somebody declared them: 80 W at rest, 700 W at work (estimated; the upstream is synthetic).
  for (const name of ['north', 'south'])
    await factory.cli(
      'engines',
      'add',
      name,
      '--url',
      `http://127.0.0.1:${upstream.port}/v1`,
      '--meter',
      'watts:80,700',
    )
  visitor = await visit(browser, factory)
  await logIn(visitor.page, factory)
})
after(async () => {
  await browser?.close()
  await upstream?.stop()
  await discard(factory)
})

test('a limit that makes no sense is refused where it stands', async () => {
  const { page } = visitor
  await open(page, factory, 'power')
  await page.getByText('No limit of power').waitFor()
  await page.getByRole('button', { name: 'Set a limit' }).click()
  const dialog = page.getByRole('dialog', { name: 'Set a limit of power' })
  await dialog.getByLabel('Name').fill('site')
  await dialog.getByLabel('Watts').fill('1000')
  await dialog.getByLabel('Others').fill('1000')
  await dialog.getByRole('button', { name: 'Set', exact: true }).click()
  await dialog.getByText('leave nothing for engines').waitFor()
  assert.equal(await dialog.getByLabel('Others').getAttribute('aria-invalid'), 'true')
})

test('a limit is set, binds, says what is done for it, and is lowered for a time', async () => {
  const { page } = visitor
  const dialog = page.getByRole('dialog', { name: 'Set a limit of power' })
  await dialog.getByLabel('Others').fill('')
  await dialog.getByRole('button', { name: 'Set', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.locator('main').getByText('binds').waitFor()
  await page
    .getByText(/(north|south) takes no requests/)
    .first()
    .waitFor()
  await page.getByRole('button', { name: 'Lower it for a time' }).click()
  const event = page.getByRole('dialog', { name: 'Lower it for a time' })
  await event.getByLabel('Limit').fill('site')
  await event.getByLabel('Watts').fill('200')
  await event.getByLabel('For').fill('1h')
  await event.getByLabel('Note').fill('evening peak')
  await event.getByRole('button', { name: 'Lower it' }).click()
  await event.waitFor({ state: 'hidden' })
  await page.getByText('200 W', { exact: true }).waitFor()
  await page.getByRole('row', { name: /evening peak/ }).waitFor()
  for (const [colorScheme, width] of [
    ['light', 1440],
    ['dark', 1440],
    ['light', 390],
    ['dark', 390],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 900 })
    const seen = `${colorScheme}, ${width} px`
    assert.equal(await overflow(page), 0, `${seen}: wider than its window`)
    if (width > 1000) assert.deepEqual(await inaccessible(page), [], seen)
    await page.screenshot({ path: join(folder, `power-${colorScheme}-${width}.png`), fullPage: true })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  const state = JSON.parse(await factory.cli('cap', 'status', '-o', 'json'))
  assert.deepEqual([state.limits[0].watts, state.limits[0].now_watts], [1000, 200])
})

test('an event is cancelled, a limit removed, and all may work again', async () => {
  const { page } = visitor
  await page.getByRole('button', { name: /^Cancel/ }).click()
  const asked = page.getByRole('dialog', { name: /^Cancel/ })
  await asked.getByRole('button', { name: 'Cancel' }).click()
  await asked.waitFor({ state: 'hidden' })
  await page.getByRole('row', { name: /evening peak/ }).waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: /^Remove/ }).click()
  const removal = page.getByRole('dialog', { name: /^Remove/ })
  await removal.getByRole('button', { name: 'Remove' }).click()
  await removal.waitFor({ state: 'hidden' })
  await page.getByText('No limit of power').waitFor()
  assert.deepEqual(JSON.parse(await factory.cli('cap', 'status', '-o', 'json')).settings, [])
  assert.deepEqual(visitor.complaints, [])
})
