/** `qwen=Qwen/Qwen3-8B, llama` → public name → name at the engine; a name alone is called the same there. */
export function mapping(text: string): Record<string, string> {
  const pairs = text.split(/[\s,]+/).filter((part) => part !== '')
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      return at < 0 ? [pair, pair] : [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
