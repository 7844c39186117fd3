/** Builds the console into a folder, which is emptied: `node console/build.ts FOLDER`. */
import { resolve } from 'node:path'
import { build } from 'vite'

const [folder] = process.argv.slice(2)
if (!folder) {
  console.error('usage: node console/build.ts FOLDER')
  process.exit(2)
}
await build({
  configFile: resolve(import.meta.dirname, 'vite.config.ts'),
  logLevel: 'warn',
  build: { outDir: resolve(folder), emptyOutDir: true },
})
