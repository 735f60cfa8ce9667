import { createHash } from 'node:crypto';
import { REFUSALS } from '../../refusal.ts';
import { OPENAPI } from './openapi.ts';
import { OPERATIONS } from './operations.ts';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
h1,h2{line-height:1.2}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .75rem .35rem 0;border-bottom:1px solid #ccc}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{overflow:auto;padding:1rem;background:#f3f3f3}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#141414}th,td{border-color:#444}pre{background:#222}a{color:#8ab4f8}}`;

/** What a browser may do with the page: show it with this style, and nothing else. */
export const DOCS_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const EXAMPLE = `curl --json '{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 1.5]}]}' \\
  -H "authorization: Bearer $KEY" http://127.0.0.1:8080/v2/models/MODEL/infer`;

/** The description of the REST face as one page, made from the same list, without scripts. */
export const DOCS_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Glacis</title><style>${STYLE}</style></head>
<body><main><h1>${escaped(OPENAPI.info.title)}</h1><p>${escaped(OPENAPI.info.description)} As a document for tools: <a href="openapi.json">openapi.json</a>.</p>
<h2>Calls</h2>
<table><thead><tr><th scope="col">Call</th><th scope="col">What it does</th></tr></thead><tbody>
${OPERATIONS.map(({ method, path, summary }) => `<tr><td><code>${method} ${escaped(path)}</code></td><td>${escaped(summary)}</td></tr>`).join('\n')}
</tbody></table>
<h2>An example</h2><pre>${escaped(EXAMPLE)}</pre>
<h2>Refusals</h2>
<table><thead><tr><th scope="col">Status</th><th scope="col">gRPC</th><th scope="col">Message</th></tr></thead><tbody>
${Object.values(REFUSALS)
  .map(
    ({ status, grpc, message }) => `<tr><td>${status}</td><td>${grpc}</td><td>${escaped(message)}</td></tr>`,
  )
  .join('\n')}
</tbody></table></main></body></html>
`;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
