import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory } from '../bench/load/factory.ts'
import { discard } from './factory.ts'

let factory: Factory
let browser: Browser
let page: Page
const complaints: string[] = []

before(async () => {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
  // Root may not use chromium's sandbox; the only page it sees is ours.
  ;[factory, browser] = await Promise.all([startFactory(), chromium.launch({ executablePath, args: ['--no-sandbox'] })])
  page = await browser.newPage({ viewport: { width: 1200, height: 900 } })
  page.setDefaultTimeout(20_000)
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`))
  page.on('request', (request) => {
    if (!request.url().startsWith(factory.base)) complaints.push(`the page asked ${request.url()}`)
  })
})
after(async () => {
  await browser?.close()
  await discard(factory)
})

test('a wrong key is told so; the admin key logs in', async () => {
  await page.goto(factory.base)
  await page.getByLabel('Admin key').fill('wm-admin-wrong')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.locator('#login-error:not(:empty)').waitFor()

  await page.getByLabel('Admin key').fill(readFileSync(join(factory.home, 'admin.key'), 'utf8').trim())
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Try it' }).waitFor()
})

test('the try-it box streams an answer, and the table shows the request', async () => {
  await page.getByLabel('Message').fill('I was charged twice for one payment')
  // Each state of the answer, so that one that grows token by token can be told from one that came whole.
  await page.evaluate(() => {
    const seen: string[] = []
    const answer = document.getElementById('answer')
    if (!answer) throw new Error('no place for the answer')
    Object.assign(window, { seen })
    new MutationObserver(() => seen.push(answer.textContent ?? '')).observe(answer, {
      childList: true,
      characterData: true,
      subtree: true,
    })
  })
  await page.getByRole('button', { name: 'Send' }).click()
  await page.locator('#answer:not(:empty)').waitFor()
  const row = page.locator('#requests tbody tr').filter({ hasText: 'complete' }).first()
  await row.waitFor()

  const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen)
  const states = [...new Set(seen.filter((text) => text !== ''))]
  assert(states.length > 1, `the answer came in ${states.length} piece(s)`)
  states.forEach((text, index) => {
    assert(text.startsWith(states[index - 1] ?? ''), 'each state continues the one before')
  })
  assert.match((await row.textContent()) ?? '', /starter/)
})

test('the page gave no error, asked nobody but its factory, and can be looked at', async () => {
  assert.deepEqual(complaints, [])
  const picture = join(mkdtempSync(join(tmpdir(), 'wattmill-page-')), 'page.png')
  await page.screenshot({ path: picture, fullPage: true })
  assert(statSync(picture).size > 10_000)
  console.log(`screenshot: ${picture}`)
})
