/**
 * `npm run bench`: the benchmarks and what each shows; `npm run bench -- NAME …` runs them one after another. Each prints whether
 * its figures are measured or simulated, and its bars with what was reached.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const top = join(import.meta.dirname, '..')
const { scripts } = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
const benches = Object.entries(scripts).flatMap(([name, command]) =>
  name.startsWith('bench:') ? [{ name: name.slice('bench:'.length), file: command.split(' ').at(-1) ?? '' }] : [],
)

/** First sentence of a file's opening comment. */
function about(file: string): string {
  const [, comment = ''] = /^\/\*\*([\s\S]*?)\*\//.exec(readFileSync(join(top, file), 'utf8')) ?? []
  const text = comment
    .replace(/^\s*\* ?/gm, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  const told = text.replace(/^`npm run [^`]*`: /, '').replace(/: npm run bench:\S+/, '.')
  return /^.*?\.(?= |$)/.exec(told)?.[0] ?? told
}

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !benches.some((bench) => bench.name === name))
if (asked.length === 0) {
  for (const { name, file } of benches) console.log(`${name.padEnd(12)} ${about(file)}`)
  console.log(
    '\nnpm run bench -- NAME …   runs them; options of one: npm run bench:NAME -- --help, or its opening comment',
  )
} else if (unknown !== undefined) {
  console.error(`there is no benchmark ${unknown}; these are: ${benches.map(({ name }) => name).join(', ')}`)
  process.exitCode = 1
} else
  for (const name of asked) {
    console.log(`\n== ${name}`)
    const { status } = spawnSync(process.execPath, [join(top, benches.find((one) => one.name === name)?.file ?? '')], {
      stdio: 'inherit',
      cwd: top,
    })
    if (status !== 0) process.exitCode = 1
  }
