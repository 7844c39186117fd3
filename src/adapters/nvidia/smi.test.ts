import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findGpus, parseSmiLine, type SmiGpu, watchGpus } from './smi.ts'

const lines: readonly (readonly [string, SmiGpu | undefined])[] = [
  ['GPU-1f02-aa, NVIDIA H100 80GB HBM3, 68.24', { uuid: 'GPU-1f02-aa', name: 'NVIDIA H100 80GB HBM3', power_w: 68.24 }],
  ['GPU-1f02-aa, A, B, 70', { uuid: 'GPU-1f02-aa', name: 'A, B', power_w: 70 }],
  ['GPU-1f02-aa, GeForce, [N/A]', { uuid: 'GPU-1f02-aa', name: 'GeForce', power_w: null }],
  ['GPU-1f02-aa, GeForce, [Unknown Error]', { uuid: 'GPU-1f02-aa', name: 'GeForce', power_w: null }],
  ['No devices were found', undefined],
  ['', undefined],
]
for (const [line, expected] of lines)
  test(`nvidia-smi's line ${JSON.stringify(line)}`, () => assert.deepEqual(parseSmiLine(line), expected))

test('where there is no nvidia-smi, or it fails, that is said', async () => {
  assert.deepEqual(await findGpus('/nowhere/nvidia-smi'), { found: false, why: '/nowhere/nvidia-smi is not installed' })
  const failing = await findGpus('false')
  assert(!failing.found && /failed/.test(failing.why))
})

test('a command that prints and ends is read, and started again', { skip: process.platform === 'win32' }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-smi-'))
  const command = join(folder, 'nvidia-smi')
  writeFileSync(command, '#!/bin/sh\necho "GPU-aa, Made up, 55.5"\n')
  chmodSync(command, 0o755)
  assert.deepEqual(await findGpus(command), { found: true, gpus: [{ uuid: 'GPU-aa', name: 'Made up', power_w: 55.5 }] })
  const heard: SmiGpu[] = []
  const watch = watchGpus((gpu) => heard.push(gpu), command)
  while (heard.length < 2) await new Promise((next) => setTimeout(next, 20))
  watch.close()
  assert.equal(heard[1]?.power_w, 55.5)
  rmSync(folder, { recursive: true })
})
