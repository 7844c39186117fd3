import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix, sep } from 'node:path'

export const top = join(import.meta.dirname, '..', '..')

/** One TypeScript file of `src/`, as the rules look at it. */
export interface Source {
  /** From `src/` on, with forward slashes: `books/price.ts`. */
  readonly path: string
  readonly test: boolean
  readonly text: string
  /** Without comments. */
  readonly code: string
  /** Without comments and without what stands inside strings and regular expressions. */
  readonly bare: string
  readonly imports: readonly Import[]
}

export interface Import {
  /** Path from `src/` on when it is relative, else the module's name. */
  readonly target: string
  readonly relative: boolean
  /** Names that exist at run time; `*` for a namespace, `default` for a default import. */
  readonly values: readonly string[]
}

/** Every TypeScript file of `src/`. */
export function sources(): Source[] {
  const root = join(top, 'src')
  return globSync('**/*.ts', { cwd: root }).map((file) => {
    const path = file.split(sep).join('/')
    return sourceOf(path, readFileSync(join(root, file), 'utf8'))
  })
}

export function sourceOf(path: string, text: string): Source {
  const { code, bare } = strip(text)
  return {
    path,
    test: /\.(test|bench)\.ts$|(^|\/)testing[^/]*\.ts$/.test(path),
    text,
    code,
    bare,
    imports: importsOf(path, code, bare),
  }
}

/** Statements `import … from`, `export … from`, `import '…'` and calls `import('…')`. */
function importsOf(path: string, code: string, bare: string): Import[] {
  const real = (match: RegExpExecArray): boolean => /^(im|ex)port/.test(bare.slice(match.index)) // not inside a string

  const statements = [...code.matchAll(/\b(import|export)\s+([^'"`;()=]*?)\s*\bfrom\s*['"]([^'"]+)['"]/g)].filter(real)
  const alone = [...code.matchAll(/\bimport\s*\(?\s*['"]([^'"]+)['"]/g)].filter(real)
  const resolved = (name: string, values: readonly string[]): Import => {
    const relative = name.startsWith('.')
    return { target: relative ? posix.join(posix.dirname(path), name) : name, relative, values }
  }
  return [
    ...statements.map(([, , clause = '', name = '']) => resolved(name, valuesOf(clause))),
    ...alone.map(([, name = '']) => resolved(name, ['*'])),
  ]
}

function valuesOf(clause: string): string[] {
  if (/^type\b/.test(clause)) return []
  const named = /\{([^}]*)\}/.exec(clause)?.[1]?.split(',') ?? []
  const names = named.map((one) => one.trim()).filter((one) => one !== '' && !one.startsWith('type '))
  const rest = clause
    .replace(/\{[^}]*\}/, '')
    .replace(/,/g, ' ')
    .trim()
  return [...names.map((one) => one.split(/\s/)[0] ?? one), ...(rest.startsWith('*') ? ['*'] : rest ? ['default'] : [])]
}

/** The folder of a file. */
export const folderOf = (path: string): string => dirname(path)

/** Where a regular expression may begin: after these a slash does not divide. */
const beforeExpression = /(^|[(,=:[!&|?{};+\-*%<>~^]|\breturn|\btypeof|\bcase)\s*$/

interface Piece {
  readonly end: number
  readonly kind: 'comment' | 'literal'
}

function strip(text: string): { code: string; bare: string } {
  let [code, bare] = ['', '']
  const templates: number[] = [] // depth of braces at which each open template goes on
  let depth = 0
  for (let at = 0; at < text.length; ) {
    const back = text[at] === '}' && templates.at(-1) === depth
    const piece = back || text[at] === '`' ? template(text, at) : pieceAt(text, at, bare)
    if (back) templates.pop()
    if (!piece) {
      if (text[at] === '{') depth++
      if (text[at] === '}') depth--
      code += text[at]
      bare += text[at++]
      continue
    }
    const inside = text.slice(at, piece.end)
    const lines = inside.replace(/[^\n]/g, ' ')
    code += piece.kind === 'comment' ? lines : inside
    bare += piece.kind === 'comment' ? lines : `''${lines.slice(2)}`
    if (inside.endsWith('${') && piece.kind === 'literal' && (back || text[at] === '`')) templates.push(depth)
    at = piece.end
  }
  return { code, bare }
}

function pieceAt(text: string, at: number, before: string): Piece | undefined {
  const [first, second] = [text[at], text[at + 1]]
  const until = (end: number, kind: Piece['kind']): Piece => ({ end: end < 0 ? text.length : end, kind })
  if (first === '/' && second === '/') return until(text.indexOf('\n', at), 'comment')
  if (first === '/' && second === '*') return until(text.indexOf('*/', at + 2) + 2, 'comment')
  if (first === "'" || first === '"') return until(closing(text, at + 1, first), 'literal')
  if (first === '/' && beforeExpression.test(before.slice(-40))) return until(closing(text, at + 1, '/'), 'literal')
  return undefined
}

/** Just behind the quote that closes; inside a regular expression's class a slash does not. */
function closing(text: string, from: number, quote: string): number {
  let inClass = false
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (quote === '/' && text[at] === '[') inClass = true
    else if (quote === '/' && text[at] === ']') inClass = false
    else if (text[at] === quote && !inClass) return at + 1
  }
  return text.length
}

/** From a template's backtick, or the brace that closes an expression in it, to its end or its next expression. */
function template(text: string, from: number): Piece {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '`') return { end: at + 1, kind: 'literal' }
    else if (text[at] === '$' && text[at + 1] === '{') return { end: at + 2, kind: 'literal' }
  }
  return { end: text.length, kind: 'literal' }
}
