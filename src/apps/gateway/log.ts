/** What a log line may hold: nothing else is written, so a key or a prompt cannot slip in with a new field. */
export interface LogFields {
  readonly id?: string
  readonly tenant?: string
  readonly model?: string
  readonly outcome?: string
  readonly status?: number
  readonly ms?: number
  readonly engine?: string
  readonly message?: string
}

export interface Log {
  debug(what: string, fields?: LogFields): void
  warn(what: string, fields?: LogFields): void
}

const allowed = ['id', 'tenant', 'model', 'outcome', 'status', 'ms', 'engine', 'message'] as const

/** JSON lines on stderr; a line per request only when asked for, since at 10,000 requests/s it would be the main work. */
export function jsonLog(debug: boolean, write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  const line = (level: string, what: string, fields: LogFields): void => {
    const kept = Object.fromEntries(
      allowed.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])),
    )
    write(`${JSON.stringify({ at: new Date().toISOString(), level, app: 'gateway', what, ...kept })}\n`)
  }
  return {
    debug: (what, fields = {}) => (debug ? line('debug', what, fields) : undefined),
    warn: (what, fields = {}) => line('warn', what, fields),
  }
}
