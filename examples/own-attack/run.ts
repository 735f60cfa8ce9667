import { mkdir } from 'node:fs/promises';
// In a project of yours: from 'glacis/assess', 'glacis/attack' and 'glacis/report'.
import { assess } from '../../src/assess/index.ts';
import { planned } from '../../src/attack/index.ts';
import { renderText } from '../../src/report/index.ts';
import { signFlip } from './sign-flip.ts';

const [model, data, eps = '0.1'] = process.argv.slice(2);
if (!model || !data) throw new Error('expected MODEL and DATA, and EPS if it is not 0.1');
const out = 'glacis-out';
await mkdir(out, { recursive: true });
const { assessment } = await assess({
  model,
  data,
  // Attacks of your own stand beside those that are there.
  attacks: [planned(signFlip, { queries: 300 }), { name: 'pgd', options: {} }],
  norm: 'linf',
  eps: [Number(eps)],
  n: 100,
  out,
});
process.stdout.write(renderText(assessment));
