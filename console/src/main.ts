import { mount } from 'svelte'
import './app.css'
import App from './App.svelte'
import { applyTheme } from './lib/theme.svelte.ts'

applyTheme()
const place = document.getElementById('console')
if (place) mount(App, { target: place })
