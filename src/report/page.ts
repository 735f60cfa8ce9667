import { createHash } from 'node:crypto';
import { html, type Markup, type Slot, source } from './markup.ts';
import { STYLE } from './style.ts';

/** What a page consists of. */
export interface Page {
  /** Of the browser's window. */
  readonly title: string;
  /** One sentence for whoever lists the page. */
  readonly description: string;
  /** What stands beside the name of Glacis at the top. */
  readonly header: Slot;
  readonly main: Slot;
  readonly footer: Slot;
  /** Rules beside the style of all pages; ours alone, never from outside. */
  readonly style?: string;
}

/**
 * A whole HTML page that stands alone: no script, no resource from elsewhere, light and dark, fit for paper and phone.
 *
 * Nothing may be loaded, run or sent: pictures come as `data:` only, and the one style sheet is named by its hash, so
 * that neither a `<script>` nor a `style` that slipped in would have any effect.
 */
export function pageOf({ title, description, header, main, footer, style = '' }: Page): string {
  const sheet = STYLE + style;
  const hash = createHash('sha256').update(sheet).digest('base64');
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  // The style is ours alone; it is set in after the rest so that the template's escaping never touches its bytes.
  const [head, tail] = source(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="description" content="${description}">
<title>${title}</title>
<style>STYLE</style>
</head>
<body>
<header>${BRAND}${header}</header>
<main>
${main}
</main>
<footer>${footer}</footer>
</body>
</html>
`).split('<style>STYLE</style>', 2) as [string, string];
  return `${head}<style>${sheet}</style>${tail}`;
}

const BRAND: Markup = html`<span class="brand"><svg viewBox="0 0 26 26" aria-hidden="true"><path class="hill" d="M1 23 L17 8 H25 V23 Z"/><path class="view" d="M2 15 L11 6.5"/></svg>Glacis</span>`;
