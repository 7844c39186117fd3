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
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  factory = await startFactory()
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
  await page.getByRole('alert').filter({ hasText: 'not the admin key' }).waitFor()

  await page.getByLabel('Admin key').fill(readFileSync(join(factory.home, 'admin.key'), 'utf8').trim())
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('link', { name: 'Infrastructure: embedded' }).waitFor()
})

test('the page gave no error, asked nobody but its factory, and can be looked at', async () => {
  assert.deepEqual(complaints, [])
  const picture = join(mkdtempSync(join(tmpdir(), 'wattmill-page-')), 'page.png')
  await page.screenshot({ path: picture, fullPage: true })
  assert(statSync(picture).size > 10_000)
  console.log(`screenshot: ${picture}`)
})
