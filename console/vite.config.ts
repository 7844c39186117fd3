import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

/** For `npx vite` while working on the console: pages from here, answers from a factory that runs. */
const factory = process.env.WATTMILL_URL ?? 'http://127.0.0.1:4141'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [svelte()],
  server: { proxy: { '/api': factory, '/v1': factory, '/readyz': factory } },
  build: {
    // Baseline 2024: `light-dark()` and nesting stay as they are written.
    target: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0, // nothing inline: the page's policy would refuse it
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
})
