import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { findProcess, until } from './factory.ts'

test('a process is found below its launcher by the program it runs, and no other', async () => {
  const idle = "process.stdout.write('up'); process.stdin.resume()"
  const middle = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(idle)}, 'src/apps/gateway/main.ts'], { stdio: 'inherit' })`
  const launcher = spawn(process.execPath, ['-e', middle], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    await once(launcher.stdout, 'data')
    const found = findProcess(launcher.pid ?? 0, 'gateway')
    if (process.platform === 'linux') assert(found && found !== launcher.pid)
    else assert.equal(found, undefined, 'elsewhere nothing is killed by guess')
    assert.equal(findProcess(launcher.pid ?? 0, 'operator'), undefined)
  } finally {
    launcher.stdin.end() // the child reads the same pipe, and ends with it
    await once(launcher, 'exit')
  }
})

test('waiting has an end', async () => {
  let asked = 0
  assert.equal(await until('third', async () => (++asked === 3 ? asked : undefined)), 3)
  await assert.rejects(
    until('never', async () => undefined, 50),
    /until never/,
  )
})
