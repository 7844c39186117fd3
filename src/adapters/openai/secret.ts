import { readFileSync } from 'node:fs'

/**
 * A secret by reference, `env:NAME` or `file:PATH`: the reference may be stored and shown, the secret is read here,
 * where it is used, and goes nowhere else. Undefined when the reference leads to nothing.
 */
export function secretOf(reference: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  if (reference.startsWith('env:')) return environment[reference.slice(4)]?.trim() || undefined
  if (!reference.startsWith('file:')) return undefined
  try {
    return readFileSync(reference.slice(5), 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
