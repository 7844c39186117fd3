#!/usr/bin/env node
// The command: finds a Node 24 or later and runs the program on it. Plain JavaScript: old Nodes run this file.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'
import { findNode } from './find-node.mjs'

const node = findNode()
if (!node) {
  console.error(
    `wattmill needs Node 24 or later; this is ${process.version} and npm installed none for ${process.platform}-${process.arch}.`,
  )
  console.error('Next: npm install --include=optional   (or install Node 24 from https://nodejs.org)')
  process.exit(69)
}

// A clone has the sources, a package only what was built from them.
const source = fileURLToPath(new URL('../src/apps/cli/main.ts', import.meta.url))
const built = fileURLToPath(new URL('../dist/apps/cli/main.js', import.meta.url))
const main = existsSync(source) ? source : built

// The channel tells the factory when this process is killed outright, so that it does not stay behind alone.
// node:sqlite is what we chose; that it is called experimental is no news to the user.
const child = spawn(node, ['--disable-warning=ExperimentalWarning', main, ...process.argv.slice(2)], {
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (cause) => {
  console.error(`wattmill: ${node} cannot be run: ${cause.message}`)
  process.exit(69)
})
child.on('exit', (code, signal) => process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)))
