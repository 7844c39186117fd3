/** A made-up `nvidia-smi` (synthetic): boards whose limits are kept in files. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { boardLimits, limitBoard, parseLimitLine } from './power-limit.ts'

const root = mkdtempSync(join(tmpdir(), 'wm-smi-'))
after(() => rmSync(root, { recursive: true, force: true }))
const limit = join(root, 'limit')
writeFileSync(limit, '700.00')
const command = join(root, 'nvidia-smi')
writeFileSync(
  command,
  `#!/bin/sh
if [ "$1" = -i ]; then
  if [ "$2" != GPU-aa ]; then echo "No devices were found"; exit 6; fi
  if [ "$4" -lt 200 ]; then echo "Provided power limit $4.00 W is not a valid power limit which should be between 200.00 W and 700.00 W for GPU"; exit 1; fi
  echo "$4.00" > ${limit}; exit 0
fi
echo "GPU-aa, $(cat ${limit}), 200.00, 700.00, 700.00"
echo "GPU-bb, [N/A], [N/A], [N/A], [N/A]"
`,
)
chmodSync(command, 0o755)

test('what boards are held to is read, and those that cannot be held are left out', async () => {
  assert.deepEqual(await boardLimits(command), [
    { uuid: 'GPU-aa', now_w: 700, least_w: 200, most_w: 700, usual_w: 700 },
  ])
  assert.deepEqual(await boardLimits(join(root, 'none')), [], 'without a driver there are none')
})

test('a board is held, in whole watts; what it does not take is told in its own words', async () => {
  assert.equal(await limitBoard('GPU-aa', 432.9, command), undefined)
  assert.equal(readFileSync(limit, 'utf8').trim(), '432.00')
  assert.match((await limitBoard('GPU-aa', 100, command)) ?? '', /not a valid power limit/)
  assert.match((await limitBoard('GPU-cc', 300, command)) ?? '', /No devices/)
  assert.equal((await boardLimits(command))[0]?.now_w, 432)
})

test('a line that is none is no board', () => {
  for (const line of ['', 'GPU-aa', 'GPU-aa, 1, 2, 3', 'MIG-aa, 300, 200, 700, 700', 'GPU-aa, 100, 200, 700, 700'])
    assert.equal(parseLimitLine(line), undefined, line)
})
