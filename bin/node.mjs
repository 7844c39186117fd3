#!/usr/bin/env node
// Runs its arguments on Node 24 or later: the user's own when it is new enough, else the one that npm installed.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { findNode } from './find-node.mjs'

export function runOnNode(args) {
  const node = findNode()
  if (!node) {
    console.error(
      `wattmill needs Node 24 or later; this is ${process.version} and npm installed none for ${process.platform}-${process.arch}.`,
    )
    console.error('Next: npm install --include=optional   (or install Node 24 from https://nodejs.org)')
    process.exit(69)
  }
  const child = spawn(node, args, { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)))
}

if (process.argv[1] && import.meta.filename === process.argv[1]) runOnNode(process.argv.slice(2))
