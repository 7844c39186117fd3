import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

/** One board as `nvidia-smi` lists it; null: this board or driver does not say. */
export interface SmiGpu {
  readonly uuid: string
  readonly name: string
  readonly power_w: number | null
}

const fields = 'uuid,name,power.draw'
const format = 'csv,noheader,nounits'

export type Smi =
  | { readonly found: true; readonly gpus: readonly SmiGpu[] }
  | { readonly found: false; readonly why: string }

/** A driver that hangs must not hang us. */
const answer_ms = 5_000

/** The NVIDIA boards of this machine; absent where there is no driver, and then it is said why. */
export async function findGpus(command = 'nvidia-smi'): Promise<Smi> {
  try {
    const { stdout } = await promisify(execFile)(command, [`--query-gpu=${fields}`, `--format=${format}`], {
      timeout: answer_ms,
    })
    const gpus = stdout.split('\n').flatMap((line) => parseSmiLine(line) ?? [])
    return gpus.length > 0 ? { found: true, gpus } : { found: false, why: `${command} lists no GPU` }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? `${command} is not installed` : `${command} failed: ${message.split('\n')[0]}`
    return { found: false, why }
  }
}

/** One CSV line. What a board does not support is `[N/A]`, `[Not Supported]` or `[Unknown Error]`. */
export function parseSmiLine(line: string): SmiGpu | undefined {
  const cells = line.split(',').map((cell) => cell.trim())
  const [uuid = '', ...rest] = cells
  if (!/^(GPU|MIG)-[\w/-]+$/.test(uuid) || rest.length < 2) return undefined
  const power = rest.at(-1) ?? ''
  const power_w = /^\d+(\.\d+)?$/.test(power) ? Number(power) : null
  return { uuid, name: rest.slice(0, -1).join(', '), power_w }
}

/** After it ended: a driver that is being replaced takes minutes, and each start costs some 50 ms of CPU. */
const [firstPause_ms, longestPause_ms] = [1_000, 60_000]

/** One `nvidia-smi` that prints each second; started again when it ends, more and more seldom. */
export function watchGpus(heard: (gpu: SmiGpu) => void, command = 'nvidia-smi', every_ms = 1000): { close(): void } {
  let child: ChildProcess | undefined
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let pause_ms = firstPause_ms
  const begin = (): void => {
    child = spawn(command, [`--query-gpu=${fields}`, `--format=${format}`, `--loop-ms=${every_ms}`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    if (child.stdout)
      createInterface({ input: child.stdout }).on('line', (line) => {
        const gpu = parseSmiLine(line)
        if (!gpu) return
        pause_ms = firstPause_ms
        heard(gpu)
      })
    child.once('error', again).once('close', again)
  }
  const again = (): void => {
    child?.removeAllListeners()
    child?.once('error', () => undefined)
    if (closed) return
    clearTimeout(timer)
    timer = setTimeout(begin, pause_ms)
    pause_ms = Math.min(longestPause_ms, pause_ms * 2)
  }
  begin()
  return {
    close() {
      closed = true
      clearTimeout(timer)
      child?.kill()
    },
  }
}
