// The files of the page: exactly those that are listed here, from `console/` and from the packages that it uses.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const own = (file: string) => new URL(`../../../console/${file}`, import.meta.url)
const script = 'text/javascript; charset=utf-8'
const style = 'text/css; charset=utf-8'

type Listed = { from: () => URL; contentType: string }

const ownScripts = [
  'main.js',
  'live.js',
  'calls.js',
  'session.js',
  'format.js',
  'parts.js',
  'plot.js',
  'dialog.js',
  'overview.js',
  'requests.js',
  'database.js',
  'jobs.js',
  'flags.js',
  'advice.js',
]
const ownStyles = ['console.css', 'figures.css', 'controls.css', 'phone.css']
/** By the name that the import map has for them. */
const packages = {
  'preact.js': 'preact',
  'preact-hooks.js': 'preact/hooks',
  'htm.js': 'htm',
  'htm-preact.js': 'htm/preact',
  'signals.js': '@preact/signals',
  'signals-core.js': '@preact/signals-core',
  'uplot.js': 'uplot/dist/uPlot.esm.js',
}

export const files: ReadonlyMap<string, Listed> = new Map([
  ['/console/', { from: () => own('index.html'), contentType: 'text/html; charset=utf-8' }],
  ...ownStyles.map((file): [string, Listed] => [`/console/${file}`, { from: () => own(file), contentType: style }]),
  ['/console/icon.svg', { from: () => own('icon.svg'), contentType: 'image/svg+xml' }],
  ...ownScripts.map((file): [string, Listed] => [`/console/${file}`, { from: () => own(file), contentType: script }]),
  ...Object.entries(packages).map(([file, name]): [string, Listed] => [
    `/console/packages/${file}`,
    { from: () => new URL(import.meta.resolve(name)), contentType: script },
  ]),
  ['/console/packages/uplot.css', { from: () => new URL(import.meta.resolve('uplot/dist/uPlot.min.css')), contentType: style }],
])

export async function readListed({ from, contentType }: Listed): Promise<{ bytes: Buffer; contentType: string; tag: string }> {
  const bytes = await readFile(from())
  return { bytes, contentType, tag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` }
}

/** The only script that stands in the page is the import map, and it is named by its digest. */
export function policyOf(page: string): string {
  const [, map = ''] = /<script type="importmap">([^]*?)<\/script>/.exec(page) ?? []
  const digest = createHash('sha256').update(map).digest('base64')
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${digest}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
