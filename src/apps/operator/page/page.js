/** The console: one page, no build. Talks to the control API by its session cookie, and to /v1 with a key of one hour. */
const $ = (id) => document.getElementById(id)

/** Node by node and never as HTML: names and answers come from outside. */
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

class LoggedOut extends Error {}

async function api(method, path, body) {
  const headers = { 'x-wattmill': '1', ...(body && { 'content-type': 'application/json' }) }
  const reply = await fetch(path, { method, headers, body: body && JSON.stringify(body) })
  const value = await reply.json().catch(() => ({}))
  if (reply.status === 401 && path !== '/api/login') throw new LoggedOut()
  if (!reply.ok)
    throw new Error(value.error ? `${value.error.message}. ${value.error.next ?? ''}` : `HTTP ${reply.status}`)
  return value
}

// --- session

let timer

function show(loggedIn) {
  $('login').hidden = loggedIn
  $('factory').hidden = !loggedIn
  $('logout').hidden = !loggedIn
  clearTimeout(timer)
  if (!loggedIn) {
    $('strip').textContent = 'The operating system for AI factories'
    $('admin-key').focus()
  }
}

$('login-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  $('login-error').textContent = ''
  try {
    await api('POST', '/api/login', { key: $('admin-key').value })
    $('admin-key').value = ''
    await refresh()
  } catch (error) {
    $('login-error').textContent = error.message
  }
})

$('logout').addEventListener('click', async () => {
  tryKey = undefined
  await api('POST', '/api/logout').catch(() => undefined)
  show(false)
})

// --- what is refreshed

const every_ms = 2000

async function refresh() {
  clearTimeout(timer)
  try {
    const status = await api('GET', '/api/status')
    const [requests, engines, models] = await Promise.all(
      ['requests?limit=20', 'engines', 'models'].map((path) => api('GET', `/api/${path}`)),
    )
    if ($('factory').hidden) show(true)
    strip(status)
    replace($('requests'), requestTable(requests.requests))
    replace($('engines'), engineTable(engines.engines))
    choices(models.models)
  } catch (error) {
    if (error instanceof LoggedOut) return show(false)
    $('strip').textContent = `The operator does not answer (${error.message}). /v1 goes on; this page tries again.`
  }
  timer = setTimeout(refresh, document.hidden ? every_ms * 5 : every_ms)
}

/** Only when it has changed, so that a selection of text stays. */
function replace(place, made) {
  if (place.innerHTML !== made.outerHTML) place.replaceChildren(made)
}

function strip(status) {
  const running = status.gateways.reduce((sum, gateway) => sum + gateway.running, 0)
  const waiting = status.gateways.reduce((sum, gateway) => sum + gateway.waiting, 0)
  const ready = status.gateways.filter((gateway) => gateway.ready).length
  $('strip').textContent = [
    `${ready} of ${status.gateways.length} gateways ready`,
    `embedded engine ${status.engine_host.up ? 'up' : 'down'}`,
    `${running} requests under way, ${waiting} waiting`,
    `${status.requests} in the books`,
    ...(status.quarantined > 0 ? [`${status.quarantined} in quarantine: run wattmill books check`] : []),
  ].join(' · ')
}

function table(heads, rows) {
  const cell = (name, [content, kind]) => element(name, kind ? { class: kind } : {}, content)
  const head = element('tr', {}, ...heads.map((each) => cell('th', each)))
  return element(
    'table',
    {},
    element('thead', {}, head),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((each) => cell('td', each))))),
  )
}

function requestTable(requests) {
  if (requests.length === 0)
    return element(
      'p',
      { class: 'hint' },
      'No request yet. Send one above, or with the curl line that ',
      element('code', {}, 'wattmill up'),
      ' printed; a second later it is here, with its tokens, cost and joules.',
    )
  const heads = [
    ['Time'],
    ['Model'],
    ['Tenant'],
    ['Outcome'],
    ['Tokens in', 'number'],
    ['out', 'number'],
    ['Cost, USD', 'number'],
    ['Energy', 'number'],
    ['Request'],
  ]
  return table(
    heads,
    requests.map((request) => [
      [new Date(request.at_ms).toLocaleTimeString()],
      [request.model],
      [`${request.tenant}/${request.application}`],
      [request.outcome, request.outcome === 'complete' ? 'good' : 'bad'],
      [sum(request.tokens, ['input_uncached', 'cache_read', 'cache_write']), 'number'],
      [sum(request.tokens, ['output_visible', 'reasoning']), 'number'],
      [request.cost_usd, 'number'],
      [energy(request), 'number'],
      [element('code', {}, request.id)],
    ]),
  )
}

/** A count that nobody gave is not zero. */
function sum(tokens, classes) {
  const known = classes.map((each) => tokens[each]).filter((count) => count !== null && count !== undefined)
  return known.length === 0 ? 'unknown' : String(known.reduce((total, count) => total + count, 0))
}

/** What a hosted engine drew is unknown, and stays so. */
function energy({ energy_mj, energy_grade, energy_final }) {
  if (energy_mj === null) return element('span', {}, 'unknown')
  const cell = element('span', {}, `${(Number(energy_mj) / 1000).toFixed(1)} J`)
  cell.append(element('span', { class: `badge ${energy_grade}` }, energy_grade))
  if (!energy_final) cell.append(element('span', { class: 'badge unknown' }, 'provisional'))
  return cell
}

function engineTable(engines) {
  const state = (engine) =>
    engine.draining ? 'draining' : engine.up === null ? 'not tried yet' : engine.up ? 'up' : 'down'
  return table(
    [['Engine'], ['State'], ['Under way', 'number'], ['Address'], ['Models']],
    engines.map((engine) => [
      [engine.name],
      [state(engine), engine.up === false ? 'bad' : engine.up ? 'good' : ''],
      [`${engine.running} of ${engine.concurrency}`, 'number'],
      [engine.url ?? 'in this factory'],
      [Object.keys(engine.models).join(', ') || 'none: wattmill models add FILE.gguf'],
    ]),
  )
}

// --- try it

let tryKey
let cancel

function choices(models) {
  const names = models.filter(({ state }) => state !== 'draining').map(({ model }) => model)
  const select = $('model')
  if ([...select.options].map(({ value }) => value).join('\n') !== names.join('\n')) {
    const chosen = select.value
    select.replaceChildren(...names.map((name) => element('option', { value: name }, name)))
    if (names.includes(chosen)) select.value = chosen
  }
  $('send').disabled = names.length === 0
  $('specialist').hidden = select.value !== 'starter'
  if (names.length === 0) $('answer-note').textContent = 'No model yet: wattmill models add FILE.gguf'
}

$('model').addEventListener('change', () => {
  $('specialist').hidden = $('model').value !== 'starter'
})
$('stop').addEventListener('click', () => cancel?.abort())
$('prompt').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) $('try-form').requestSubmit()
})

$('try-form').addEventListener('submit', async (event) => {
  event.preventDefault()
  cancel = new AbortController()
  busy(true)
  $('answer').textContent = ''
  $('answer-note').textContent = ''
  try {
    await stream(cancel.signal)
  } catch (error) {
    if (error instanceof LoggedOut) return show(false)
    $('answer-note').textContent =
      error.name === 'AbortError' ? 'Stopped; what was made until then is billed.' : error.message
  } finally {
    busy(false)
    refresh()
  }
})

function busy(now) {
  $('send').hidden = now
  $('stop').hidden = !now
}

async function stream(signal) {
  const began = performance.now()
  const reply = await ask(signal)
  let usage
  for await (const event of events(reply.body)) {
    if (event.error) throw new Error(event.error.message)
    usage = event.usage ?? usage
    $('answer').textContent += event.choices?.[0]?.delta?.content ?? ''
  }
  const took = ((performance.now() - began) / 1000).toFixed(2)
  const tokens = usage ? `${usage.prompt_tokens} tokens in, ${usage.completion_tokens} out, ` : ''
  $('answer-note').textContent = `${tokens}${took} s as measured by this browser`
}

/** A key of one hour lives in this page's memory only; when it has ended, a new one is asked for, once. */
async function ask(signal, again = true) {
  tryKey ??= (await api('POST', '/api/try-key')).key
  const body = {
    model: $('model').value,
    messages: [{ role: 'user', content: $('prompt').value }],
    stream: true,
    stream_options: { include_usage: true },
  }
  const headers = { authorization: `Bearer ${tryKey}`, 'content-type': 'application/json' }
  const reply = await fetch('/v1/chat/completions', { method: 'POST', headers, body: JSON.stringify(body), signal })
  if (reply.ok) return reply
  if (reply.status === 401 && again) {
    tryKey = undefined
    return ask(signal, false)
  }
  const { error } = await reply.json().catch(() => ({}))
  throw new Error(error?.message ?? `HTTP ${reply.status}`)
}

/** Server-sent events: data lines until [DONE]. Read by hand, since not every browser iterates streams. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const lines = (rest + value).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const data = /^data: ?(.*)/.exec(line)?.[1]?.trim()
      if (data && data !== '[DONE]') yield JSON.parse(data)
    }
  }
}

refresh()
