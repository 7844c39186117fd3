/** A PostgreSQL of a test's own, which can be stopped, started again, and run out of room. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const programs = globSync('/usr/lib/postgresql/*/bin').sort().at(-1)
const isRoot = process.getuid?.() === 0

/** Undefined: it can be run here. */
export const noServer = programs === undefined ? 'no PostgreSQL is installed in /usr/lib/postgresql' : undefined

/** A disk that is small is one in memory, which only root may make; and that not everywhere. */
export const noSmallDisk =
  noServer ?? (isRoot && canMount() ? undefined : 'needs a small file system in memory, made by root')

function canMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs none /mnt'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

export interface Server extends AsyncDisposable {
  readonly url: string
  start(): void
  /** As if its machine had lost its power. */
  stop(): void
  /** It takes connections on, and says nothing any more. */
  hang(): void
  wake(): void
  /** Takes all the room that its disk has left. */
  fill(): void
  makeRoom(): void
}

/** `disk_mib`: on a disk of that size, which nothing else sees. */
export async function ownServer({ disk_mib }: { readonly disk_mib?: number } = {}): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'wm-postgres-'))
  chmodSync(folder, 0o755)
  const disk = join(folder, 'disk')
  mkdirSync(disk, { mode: 0o777 })
  const holder = disk_mib === undefined ? undefined : holdDisk(disk, disk_mib)
  if (holder) await once(holder.stdout, 'data')
  const inside = holder ? ['nsenter', '-t', String(holder.pid), '-m', '--'] : []
  // It refuses to run as root.
  const run = (...command: string[]): void => {
    const [program = '', ...rest] = [...inside, ...(isRoot ? ['runuser', '-u', 'postgres', '--'] : []), ...command]
    execFileSync(program, rest, { stdio: 'pipe', cwd: '/' })
  }
  const control = (...words: string[]): void => run(join(programs ?? '', 'pg_ctl'), '-D', join(disk, 'data'), ...words)
  if (isRoot) execFileSync('chown', ['postgres', disk])
  run(join(programs ?? '', 'initdb'), '-D', join(disk, 'data'), '-A', 'trust', '-U', 'wattmill', '--locale=C.UTF-8')
  const port = await freePort()
  const postmaster = (): number => Number.parseInt(readFileSync(join(disk, 'data', 'postmaster.pid'), 'utf8'), 10)
  const server: Server = {
    url: `postgres://wattmill@127.0.0.1:${port}/postgres`,
    start: () =>
      control('-l', join(disk, 'log'), '-w', '-o', `-p ${port} -k ${disk} -c listen_addresses=127.0.0.1`, 'start'),
    stop: () => control('-m', 'immediate', 'stop'),
    hang: () => void process.kill(postmaster(), 'SIGSTOP'),
    wake: () => void process.kill(postmaster(), 'SIGCONT'),
    fill: () => run('sh', '-c', `dd if=/dev/zero of=${disk}/filler bs=4096 2>/dev/null; sync`),
    makeRoom: () => run('rm', '-f', `${disk}/filler`),
    [Symbol.asyncDispose]: async () => {
      // Each by itself: on a small disk its pid cannot be read from here, and it must be stopped all the same.
      for (const end of [server.wake, server.stop])
        try {
          end()
        } catch {} // it was stopped
      if (holder) {
        holder.kill('SIGKILL')
        await once(holder, 'exit')
      }
      rmSync(folder, { recursive: true, force: true })
    },
  }
  server.start()
  return server
}

/** In a name space of its own: it is gone with the process that holds it, whatever becomes of the test. */
const holdDisk = (disk: string, mib: number) =>
  spawn(
    'unshare',
    [
      '-m',
      'sh',
      '-c',
      `mount -t tmpfs -o size=${mib}m,mode=777 none ${disk} && chown postgres ${disk} && echo held && exec cat`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}
