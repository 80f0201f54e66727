import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The server to which `npm run dev` passes on what is not a file of the app.
const server = process.env.STDOPS_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  // The app may be served below any path: the server writes it into <base> of index.html.
  base: './',
  plugins: [react()],
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    sourcemap: false,
    modulePreload: { polyfill: false },
    // The bundle carries other people's code; their licences go along.
    license: { fileName: 'licences.md' },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  worker: { format: 'es' },
  server: {
    proxy: {
      // The server looks at Origin and Host; under development both are those of vite, so the Origin is put right.
      '/api': {
        target: server,
        changeOrigin: true,
        configure: (proxy) => proxy.on('proxyReq', (req) => req.setHeader('origin', server)),
      },
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/testing/setup.ts'],
    testTimeout: 30_000,
  },
});
