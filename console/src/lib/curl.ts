/** A chat request as one types it: the key comes from the environment, so that no line holds one. */
export function curlOf(origin: string, body: object): string {
  const quoted = JSON.stringify(body).replaceAll("'", "'\\''")
  return [
    `curl ${origin}/v1/chat/completions`,
    '-H "authorization: Bearer $WATTMILL_KEY"',
    `-H 'content-type: application/json'`,
    `-d '${quoted}'`,
  ].join(' ')
}
