/** What one does with the console, in a real browser against a real factory. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type { Browser, Page, Response } from 'playwright-core'
import type { Factory } from '../bench/load/factory.ts'
import { findProcess, startFactory } from '../bench/load/factory.ts'
import { launch, logIn, open, type Visitor, visit } from './browser.ts'
import { madeUpEngine } from './engine.ts'
import { discard } from './factory.ts'

let factory: Factory
let browser: Browser
let visitor: Visitor
let page: Page

before(async () => {
  ;[factory, browser] = await Promise.all([startFactory(), launch()])
  visitor = await visit(browser, factory)
  page = visitor.page
})
after(async () => {
  await browser?.close()
  await discard(factory)
})

/** First load, unpacked: what a page on a slow line waits for before it shows anything. */
const mostBytes = 300 * 1024

test('the first load is small, comes from the factory alone, and a wrong key is told so', async () => {
  const sizes: Promise<number>[] = []
  const count = (response: Response): void => {
    if (!response.url().includes('/api/')) sizes.push(response.body().then((body) => body.length))
  }
  page.on('response', count)
  await page.goto(factory.base, { waitUntil: 'networkidle' })
  page.off('response', count)
  await page.getByLabel('Admin key').fill('wm-admin-wrong')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').filter({ hasText: 'not the admin key' }).waitFor()
  await logIn(page, factory)
  const loaded = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
  console.log(`first load: ${Math.round(loaded / 1024)} KiB unpacked`)
  assert(loaded > 50_000 && loaded <= mostBytes, `${loaded} bytes`)
})

test('no secret lies where a script of a page can read it later', async () => {
  const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie)
  assert(!/wm-|session/.test(kept), kept)
})

test('the try-it box answers, and its receipt has every token and nano-dollar', async () => {
  await open(page, factory, 'try?model=starter')
  await page.getByLabel('Message', { exact: true }).fill('I was charged twice for one payment')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('Receipt').waitFor()
  await page.locator('dd a').last().click()
  const receipt = page.getByRole('dialog', { name: 'Receipt' })
  await receipt.getByText('Tokens and cost').waitFor()
  const text = (await receipt.textContent()) ?? ''
  assert.match(text, /complete/)
  assert.match(text, /Price version 1\s*\$0\.000\d+/)
  await page.keyboard.press('Escape')
  await receipt.waitFor({ state: 'hidden' })
})

test('requests are found by the address alone, and stay found after a reload', async () => {
  await open(page, factory, 'requests?model=starter&outcome=complete')
  await page.locator('tbody tr').filter({ hasText: 'starter' }).first().waitFor()
  await page.getByLabel('model').fill('nothing')
  await page.getByLabel('model').press('Enter')
  await page.getByText('No such request').waitFor()
  assert.match(page.url(), /model=nothing&outcome=complete/)
  await page.reload()
  await page.getByText('No such request').waitFor()
  assert.equal(await page.getByLabel('model').inputValue(), 'nothing')
})

test('an application and its key: made, shown once, used, rotated, revoked', async () => {
  await open(page, factory, 'apps?new=1')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Tenant').fill('acme')
  await dialog.getByLabel('Application').fill('no spaces please')
  await dialog.getByRole('button', { name: 'Create', exact: true }).click()
  await dialog.getByRole('alert').filter({ hasText: 'letters, digits' }).waitFor()
  await dialog.getByLabel('Application').fill('support')
  await dialog.getByRole('button', { name: 'Create', exact: true }).click()
  await page.getByRole('heading', { name: 'acme/support' }).waitFor()

  await page.getByRole('link', { name: 'New key' }).click()
  await page.getByRole('button', { name: 'Create', exact: true }).click()
  const first = await shownKey()
  assert.equal(await statusWith(first), 200)
  await page.getByRole('button', { name: 'I have it' }).click()
  assert(!(await page.content()).includes(first), 'it is shown once')

  await page.getByRole('button', { name: 'Rotate', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate', exact: true }).click()
  const second = await shownKey()
  assert.deepEqual([await statusWith(first), await statusWith(second)], [401, 200])
  await page.getByRole('button', { name: 'I have it' }).click()

  await page.getByRole('button', { name: 'Revoke', exact: true }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
  await page.getByText('No such key').waitFor()
  assert.equal(await statusWith(second), 401)
})

async function shownKey(): Promise<string> {
  const dialog = page.getByRole('dialog', { name: 'The new key' })
  return (await dialog.locator('code').first().textContent()) ?? ''
}

async function statusWith(key: string): Promise<number> {
  const reply = await fetch(`${factory.base}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
  await reply.body?.cancel()
  return reply.status
}

test('an engine: refused with words when it does not answer; added, tried, probed, costed, drained, removed', async () => {
  using engine = await madeUpEngine('qwen')
  await open(page, factory, 'engines?new=1')
  const dialog = page.getByRole('dialog', { name: 'Add an engine' })
  await dialog.getByLabel('Name').fill('gpu')
  await dialog.getByLabel('URL').fill('http://127.0.0.1:1/v1')
  await dialog.getByRole('button', { name: 'Add' }).click()
  await dialog.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor()
  await dialog.getByLabel('URL').fill(engine.url)
  await dialog.getByRole('button', { name: 'Add' }).click()
  await page.getByRole('heading', { name: 'gpu', exact: true }).waitFor()
  await page.getByRole('link', { name: 'qwen' }).waitFor()

  await page.getByRole('button', { name: 'Probe' }).click()
  await page.getByRole('status').filter({ hasText: 'has 1 model' }).waitFor()
  await page.getByRole('button', { name: 'change' }).click()
  await page.getByLabel('US dollars per hour').fill('24')
  await page.getByRole('button', { name: 'Declare' }).click()
  await page.getByText('$24/h').waitFor()

  await open(page, factory, 'try?model=qwen')
  await page.getByRole('button', { name: 'Send' }).click()
  for (const words of ['one', 'one two', 'one two three'])
    await page.getByRole('status').getByText(words, { exact: true }).waitFor()
  await page.getByText('Receipt').waitFor()
  await open(page, factory, '')
  await page.getByRole('link', { name: /Models: qwen/ }).waitFor()
  await page
    .getByText(/of revenue|−\$\d/)
    .first()
    .waitFor()

  await open(page, factory, 'engines/gpu')
  await page.getByRole('button', { name: 'Drain' }).click()
  await page.getByText('draining').waitFor()
  await page.getByRole('button', { name: 'Put back into routing' }).click()
  await page.getByRole('button', { name: 'Drain' }).waitFor()
  await page.getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('heading', { name: 'Engines', exact: true }).waitFor()
  await page.getByRole('link', { name: 'gpu' }).waitFor({ state: 'detached' }) // the list of before is shown until the new one is here
})

test('a model file that is none changes nothing, and says so beside its field', async () => {
  await open(page, factory, 'models?new=1')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Path').fill('/nowhere/model.gguf')
  await dialog.getByRole('button', { name: 'Add' }).click()
  await dialog.getByRole('alert').filter({ hasText: 'no file' }).waitFor()
  assert.equal(await dialog.getByLabel('Path').getAttribute('aria-invalid'), 'true')
})

test('a price is set, in force at once, and its past stays', async () => {
  await open(page, factory, 'prices/starter?new=1')
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Input', { exact: true }).fill('0.06')
  await dialog.getByLabel('Output').fill('0.3')
  await dialog.getByRole('button', { name: 'Set' }).click()
  await dialog.waitFor({ state: 'hidden' })
  const versions = page.locator('tbody tr')
  await versions.filter({ hasText: '$0.06' }).filter({ hasText: 'in force' }).waitFor()
  await versions.filter({ hasText: '$0.05' }).filter({ hasText: 'past' }).waitFor()
})

test('the books are checked beside the factory, and found whole', async () => {
  await open(page, factory, 'books')
  await page.getByRole('button', { name: 'Check all of it' }).click()
  await page.getByText('nothing lost, nothing doubled').waitFor()
})

test('all of it by the keyboard', async () => {
  await open(page, factory, '')
  await page.getByRole('heading', { name: 'Factory floor' }).waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('engi')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Engines', exact: true }).waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press('r')
  await page.getByRole('heading', { name: 'Requests' }).waitFor()
  await page.locator('[data-row]').first().waitFor()
  for (const key of ['j', 'k']) await page.keyboard.press(key)
  assert.equal(
    await page.evaluate(() => [...document.querySelectorAll('[data-row]')].indexOf(document.activeElement as Element)),
    0,
  )
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Receipt' }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('/')
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('aria-label')), 'tenant')
  await page.keyboard.type('j?g')
  assert.equal(await page.getByLabel('tenant').inputValue(), 'j?g', 'in a field letters are letters')
})

test('kill -9 of the operator: the console says so, and all comes back by itself, without a new log-in', async () => {
  await open(page, factory, '')
  await page.getByRole('heading', { name: 'Factory floor' }).waitFor()
  const operator = findProcess(factory.pid, 'operator')
  assert(operator, 'the operator is found below its launcher')
  const launcher = parentOf(operator)
  process.kill(launcher, 'SIGSTOP') // or the operator would be back before a person could see it
  process.kill(operator, 'SIGKILL')
  await page.getByText('The operator does not answer').waitFor()
  await open(page, factory, 'try?model=starter')
  await page.getByText('The operator does not answer').waitFor()

  const key = await fetch(`${factory.base}/v1/models`, { headers: { authorization: 'Bearer wm-nobody' } })
  assert.equal(key.status, 401, 'the gateway answers by itself')
  const newcomer = await browser.newPage()
  await newcomer.goto(factory.base)
  await newcomer.getByRole('heading', { name: 'The operator does not answer' }).waitFor()
  process.kill(launcher, 'SIGCONT')
  await page.getByText('The operator does not answer').waitFor({ state: 'hidden' })
  await newcomer.getByLabel('Admin key').waitFor()
  await newcomer.close()
  await open(page, factory, 'requests')
  await page.locator('tbody tr').first().waitFor()
})

/** Linux: the second field behind the name in /proc/PID/stat. */
const parentOf = (pid: number): number => Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])

test('no page gave an error, or asked anybody but its factory', () => {
  assert.deepEqual(visitor.complaints, [])
})
