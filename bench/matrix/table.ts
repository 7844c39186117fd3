import { apis, type Parsed, type Ran, sdks, surfaces } from './record.ts'

/** Engines down, surfaces across by number: R beats s, and nothing at all is `-`. */
export function tableOf(engines: readonly string[], cells: readonly Ran[]): string[] {
  const width = Math.max(...engines.map((engine) => engine.length))
  const numbers = surfaces.map((_, at) => String(at + 1).padStart(3)).join('')
  return [
    ' '.repeat(width) + numbers,
    ...engines.map((engine) => {
      const marks = surfaces.map((surface) => markOf(engine, surface, cells).padStart(3))
      return engine.padEnd(width) + marks.join('')
    }),
  ]
}

function markOf(engine: string, surface: string, cells: readonly Ran[]): string {
  const here = cells.filter((cell) => cell.engine === engine && cell.surface === surface)
  return here.some(({ how }) => how === 'real') ? 'R' : here.length > 0 ? 's' : '-'
}

/** What the numbers and marks mean, and which versions are behind R. */
export function legendOf(cells: readonly Ran[], parsed: readonly Parsed[] = []): string[] {
  const versions = new Map(
    [...cells, ...parsed].filter(({ how }) => how === 'real').map(({ engine, what }) => [engine, what]),
  )
  const named = surfaces.map((surface, at) => `${at + 1} ${surface}`)
  const rows = Math.ceil(named.length / 4)
  return [
    ...Array.from({ length: rows }, (_, row) =>
      [0, 1, 2, 3]
        .map((column) => (named[column * rows + row] ?? '').padEnd(26))
        .join('')
        .trimEnd(),
    ),
    '',
    `R  ran against the real engine: ${[...versions].map(([engine, what]) => `${engine} (${what})`).join(', ') || 'none here'}`,
    's  synthetic: an answer made up after the source that bench/matrix/dialects.ts or the engine in deep/ names',
    '-  not tested',
  ]
}

/** SDKs and what they ask for down, engines across; of an engine first the whole answer, then the streamed one. */
export function sdkTableOf(cells: readonly Parsed[]): string[] {
  const engines = [...new Set(cells.map(({ engine }) => engine))].sort()
  const rows = sdks.flatMap((sdk) =>
    apis
      .filter((api) => cells.some((cell) => cell.sdk === sdk && cell.api === api))
      .map((api) => ({ name: `${sdk}  ${api}`, sdk, api })),
  )
  const width = Math.max(0, ...rows.map(({ name }) => name.length))
  const wide = Math.max('w s'.length, ...engines.map((engine) => engine.length))
  const mark = (engine: string, of: Pick<Parsed, 'sdk' | 'api'>, streamed: boolean): string => {
    const here = cells.filter(
      (cell) => cell.engine === engine && cell.sdk === of.sdk && cell.api === of.api && cell.streamed === streamed,
    )
    return here.some(({ how }) => how === 'real') ? 'R' : here.length > 0 ? 's' : '-'
  }
  const line = (name: string, columns: readonly string[]): string =>
    [name.padEnd(width), ...columns.map((column) => column.padEnd(wide))].join('  ').trimEnd()
  return [
    line('whole, streamed', engines),
    ...rows.map(({ name, ...of }) =>
      line(
        name,
        engines.map((engine) => `${mark(engine, of, false)} ${mark(engine, of, true)}`),
      ),
    ),
  ]
}
