/**
 * `npm run build`: JavaScript in `dist/` for the package, since Node refuses TypeScript under `node_modules`.
 * Types are stripped in place, so that line numbers stay; `.ts` in import paths becomes `.js`. The console goes to `dist/console`.
 */
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'

const imported = /(\bfrom\s*|\bimport\s*\(?\s*|new URL\(\s*)(['"])(\.{1,2}\/[^'"]+)\.ts\2/g

rmSync('dist', { recursive: true, force: true })
const sources = globSync('src/**/*.ts').filter(
  (file) => !/\.test\.ts$|\/testing(-[a-z]+)?\.ts$|^src\/tidy\//.test(file),
)
for (const file of sources) {
  const script = stripTypeScriptTypes(readFileSync(file, 'utf8')).replace(imported, '$1$2$3.js$2')
  const target = join('dist', file.slice('src/'.length).replace(/\.ts$/, '.js'))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, script)
}
execFileSync(process.execPath, ['console/build.ts', 'dist/console'], { stdio: 'inherit' })
console.log(`dist: ${sources.length} modules and the console`)
