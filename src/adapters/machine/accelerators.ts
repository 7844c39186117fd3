import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** One accelerator as its vendor's tool lists it; null: the tool does not say. */
export interface FoundAccelerator {
  readonly vendor: 'nvidia' | 'amd'
  readonly name: string
  readonly memory_bytes: number | null
  /** The limit that is set, not the most that could be. */
  readonly power_limit_w: number | null
  readonly mig: boolean | null
  readonly driver: string | null
}

export interface Accelerators {
  readonly found: readonly FoundAccelerator[]
  /** Of each tool that lists nothing, why. */
  readonly notes: readonly string[]
}

const fields = 'name,memory.total,power.limit,mig.mode.current,driver_version'

/** Asks `nvidia-smi` and `rocm-smi`; they are parameters so that tests can play them. */
export async function findAccelerators(nvidia = 'nvidia-smi', amd = 'rocm-smi'): Promise<Accelerators> {
  const [green, red] = await Promise.all([
    asked(nvidia, [`--query-gpu=${fields}`, '--format=csv,noheader,nounits'], parseNvidia),
    asked(amd, ['--showproductname', '--showmeminfo', 'vram', '--showmaxpower', '--json'], parseAmd),
  ])
  return { found: [...green.found, ...red.found], notes: [...green.notes, ...red.notes] }
}

/** A driver that hangs must not hang us. */
const answer_ms = 5_000

async function asked(
  command: string,
  args: readonly string[],
  parse: (said: string) => FoundAccelerator[],
): Promise<Accelerators> {
  try {
    const { stdout } = await promisify(execFile)(command, [...args], { timeout: answer_ms })
    const found = parse(stdout)
    return { found, notes: found.length > 0 ? [] : [`${command} lists none`] }
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'is not installed' : `failed: ${message.split('\n')[0]}`
    return { found: [], notes: [`${command} ${why}`] }
  }
}

/** Names may hold commas: the figures are counted from the end. What a board does not support is `[N/A]`. */
export function parseNvidia(said: string): FoundAccelerator[] {
  return said.split('\n').flatMap((line): FoundAccelerator[] => {
    const cells = line.split(',').map((cell) => cell.trim())
    const [driver, mig, power, memory] = cells.slice(-4).reverse()
    const name = cells.slice(0, -4).join(', ')
    if (cells.length < 5 || name === '') return []
    return [
      {
        vendor: 'nvidia',
        name,
        memory_bytes: scaled(memory, 1024 ** 2),
        power_limit_w: scaled(power, 1),
        mig: mig === 'Enabled' ? true : mig === 'Disabled' ? false : null,
        driver: driver && /^[\d.]+$/.test(driver) ? driver : null,
      },
    ]
  })
}

/** `{"card0": {"Card Series": …, "VRAM Total Memory (B)": …}, "system": {"Driver version": …}}`; key names vary by version. */
export function parseAmd(said: string): FoundAccelerator[] {
  const listed: unknown = JSON.parse(said)
  if (typeof listed !== 'object' || listed === null) return []
  return Object.entries(listed).flatMap(([key, card]): FoundAccelerator[] => {
    if (!/^card\d+$/.test(key) || typeof card !== 'object' || card === null) return []
    const told = (form: RegExp): string | undefined => {
      const value: unknown = Object.entries(card).find(([name]) => form.test(name))?.[1]
      return typeof value === 'string' ? value : undefined
    }
    return [
      {
        vendor: 'amd',
        name: told(/^card series/i) ?? told(/^card model/i) ?? key,
        memory_bytes: scaled(told(/^vram total memory/i), 1),
        power_limit_w: scaled(told(/^max graphics package power/i), 1),
        mig: null,
        driver: null,
      },
    ]
  })
}

const scaled = (text: string | undefined, by: number): number | null =>
  text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) * by : null
