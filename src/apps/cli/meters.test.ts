import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { momentUs, powerFile } from './power-file.ts'

const script = join(import.meta.dirname, '..', '..', '..', 'bin', 'wattmill.mjs')

test('a file of power is integrated without a factory: gaps are listed, and what is wrong is told by its line', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-power-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'power.csv')
  const integrate = (text: string, ...more: string[]) => {
    writeFileSync(file, text)
    const args = ['meters', 'integrate', file, '--time', 't', '--power', 'p', '-o', 'json', ...more]
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
    return { status, out: status === 0 ? JSON.parse(stdout) : stdout, stderr }
  }
  const ramp = 'run,t,p\na,0,0\nb,0,7\na,1,100\na,2,200\na,8,800\na,9,900\n'
  const { out } = integrate(ramp, '--where', 'run=a', '--unit', 'kW', '--from', '0.5')
  // 0.5 s … 2 s: 125 kW on average; 8 s … 9 s: 850 kW.
  assert.deepEqual(
    [out.energy_j, out.covered_s, out.unmetered_s, out.unmetered, out.mean_w],
    ['1037500', '2.5', '6', ['2…8'], '415000'],
  )
  const refused = integrate('t,p\n1,2\n2,2\n', '--rule', 'mean')
  assert.deepEqual([refused.status, refused.out], [2, ''])
  assert.match(refused.stderr, /--rule mean is none of trapezoid, samples/)

  const columns = { time: 't', power: 'p', powerPlaces: 6, where: [] }
  for (const [text, message] of [
    [ramp, /power.csv: line 3: its time is not after/],
    ['t,watts\n1,2\n', /line 1: there is no column p among t, watts/],
    ['t,p\n1,2\n2,NaN\n', /line 3: "NaN" is no power/],
    ['t,p\n1,-2\n', /line 2: "-2" is no power/],
    ['t,p\nsoon,2\n', /line 2: "soon" is no number of seconds/],
  ] as const) {
    writeFileSync(file, text)
    assert.throws(() => powerFile(file, columns), message)
  }
  assert.throws(() => powerFile(join(folder, 'none.csv'), columns), /no file that can be read/)
})

test('moments are seconds, to the microsecond, or dates', () => {
  assert.deepEqual(['-292.907', '1e3', '2027-01-31T13:00:00.5Z', 'soon', '1.0000001'].map(momentUs), [
    -292_907_000n,
    10n ** 9n,
    1_801_400_400_500_000n,
    undefined,
    undefined,
  ])
})
