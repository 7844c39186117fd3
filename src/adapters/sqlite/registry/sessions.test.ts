import assert from 'node:assert/strict'
import { test } from 'node:test'
import { all } from '../query.ts'
import { openStore } from '../store.ts'
import { testHome } from '../testing.ts'
import { Sessions, session_ms } from './sessions.ts'

test('a session outlives the process that began it, and ends with its time, its log-out and the admin key', () => {
  using home = testHome()
  const first = openStore(home)
  const before = new Sessions(first, 'admin')
  before.begin('one', 1000)
  before.begin('two', 1000)
  first.close()

  const store = openStore(home)
  const after = new Sessions(store, 'admin')
  assert(after.find('one', 2000) && !after.find('', 2000) && !after.find('three', 2000))
  assert(!after.find('one', 1000 + session_ms))
  assert(!new Sessions(store, 'another admin key').find('one', 2000))
  after.end('two')
  assert(!after.find('two', 2000) && after.find('one', 2000))
  const stored = JSON.stringify(all(store.database, 'select * from session'))
  assert(!stored.includes('one'), 'the token itself is nowhere')
  store.close()
})

test('the newest hundred stay', () => {
  using home = testHome()
  const store = openStore(home)
  const sessions = new Sessions(store, 'admin')
  for (let number = 0; number < 120; number++) sessions.begin(`token ${number}`, number)
  assert(!sessions.find('token 19', 120) && sessions.find('token 20', 120) && sessions.find('token 119', 120))
  store.close()
})

test('people of a tenant take no place of the factory’s, nor of another key’s', () => {
  using home = testHome()
  const store = openStore(home)
  const sessions = new Sessions(store, 'admin')
  const under = (api_key: string) => ({ admin_key: null, api_key })
  sessions.begin('owner', 0)
  sessions.begin('other', 0, under('key_2'))
  for (let number = 0; number < 120; number++) sessions.begin(`token ${number}`, number, under('key_1'))
  assert(sessions.find('owner', 120) && sessions.find('other', 120))
  assert(!sessions.find('token 109', 120) && sessions.find('token 110', 120))
  sessions.move('token 119', 'key_1', 'key_3')
  assert.equal(sessions.find('token 119', 120)?.api_key, 'key_3')
  sessions.move('other', 'key_1', 'key_3')
  assert.equal(sessions.find('other', 120)?.api_key, 'key_2')
  store.close()
})
