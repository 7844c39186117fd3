import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import type { Factory } from '../bench/load/factory.ts'

/** The console in a browser, with all that a page did wrong on the way. */
export interface Visitor {
  readonly page: Page
  /** Errors of scripts, requests that failed or went elsewhere, what the policy refused. */
  readonly complaints: string[]
  close(): Promise<void>
}

/** Debian's chromium. Root may not use its sandbox; the only page it sees is ours. */
export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })

export async function visit(browser: Browser, factory: Factory): Promise<Visitor> {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  const complaints: string[] = []
  page.setDefaultTimeout(20_000)
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy|TrustedHTML|TrustedScript/.test(message.text())) complaints.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(factory.base)) complaints.push(`the console asked ${request.url()}`)
  })
  return { page, complaints, close: () => page.close() }
}

export async function logIn(page: Page, factory: Factory): Promise<void> {
  await page.goto(factory.base)
  await page.getByLabel('Admin key').fill(readFileSync(join(factory.home, 'admin.key'), 'utf8').trim())
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Factory floor' }).waitFor()
}

/** A page by its hash, as a link that somebody was sent. */
export async function open(page: Page, factory: Factory, hash: string): Promise<void> {
  await page.goto(`${factory.base}/#/${hash}`)
}

/** Where the pictures of a run lie; WATTMILL_PICTURES names another folder. */
export function pictures(): string {
  const folder = process.env.WATTMILL_PICTURES
  if (folder) mkdirSync(folder, { recursive: true })
  return folder ?? mkdtempSync(join(tmpdir(), 'wattmill-pictures-'))
}

/** What breaks WCAG 2.1 AA on the page as it is, each with the first place where it does. */
export async function inaccessible(page: Page): Promise<string[]> {
  // By the debugger and not as a script of the page, whose policy would refuse it.
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'],
    }),
  )
  return violations.map(
    ({ id, help, nodes }) => `${id}: ${help} (${nodes.length}), first ${nodes[0]?.html.slice(0, 200)}`,
  )
}

/** Pixels that a page is wider than its window: nothing may hide beyond the edge but within a table that scrolls. */
export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
