import type { Options } from 'uplot'
import { shown, unknown } from './format.ts'

export interface Line {
  readonly name: string
  readonly values: readonly (number | null)[]
  readonly colour: 'token' | 'energy' | 'money' | 'strong' | 'bad'
  readonly dashed?: boolean
}

interface Look {
  readonly lines: readonly Line[]
  readonly unit: string
  readonly width: number
  /** Seconds from one slot to the next. */
  readonly step_s: number
  /** The colour of a custom property where the chart stands, as a canvas takes it. */
  readonly colour: (name: string) => string
}

/** A chart from zero, quiet in its lines: the numbers are in its legend. */
export function chartOptions({ lines, unit, width, step_s, colour }: Look): Options {
  const axis = {
    stroke: colour('--dim'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width,
    height: 150,
    padding: [6, 26, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'time' }, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
    axes: [
      {
        ...axis,
        space: 72,
        grid: { show: false },
        size: 26,
        values: (_, ticks) => ticks.map((tick) => timeText(tick, step_s)),
      },
      { ...axis, space: 34, size: 52, values: (_, ticks) => ticks.map((tick) => tickText(tick, unit)) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.name,
        stroke: colour(`--${line.colour}`),
        width: 1.6,
        points: { show: false },
        spanGaps: false,
        ...(line.dashed
          ? { dash: [4, 3] }
          : { fill: `color-mix(in srgb, ${colour(`--${line.colour}`)} 12%, transparent)` }),
      })),
    ],
  }
}

/** The time of day, or the day where a slot is an hour. */
function timeText(at_s: number, step_s: number): string {
  const at = new Date(at_s * 1000)
  if (step_s >= 3600) return at.toLocaleDateString([], { day: 'numeric', month: 'short' })
  return at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
}

/** A tick in the prefix that its value takes: 250 m, 1.5 k. */
function tickText(value: number, unit: string): string {
  if (value === 0) return '0'
  const { number, unit: of } = shown(value, unit)
  if (number === unknown) return ''
  const prefix = of.startsWith('$') ? '' : of.slice(0, Math.max(0, of.length - unit.length)).trim()
  const short = number.includes('.') ? number.replace(/\.?0+$/, '') : number
  return `${of.startsWith('$') ? '$' : ''}${short}${unit === '1' ? ' %' : prefix === '' ? (unit === 'ms' ? ` ${of}` : '') : ` ${prefix}`}`
}
