import type { Finding } from '../result.ts';
import type { Check, Reliability } from './reliability.ts';

/** Evasion in MITRE ATLAS, OWASP ML and NIST AI 100-2, as the figures that these findings are about. */
const EVASION = { atlas: ['AML.T0043', 'AML.T0015'], owasp: ['ML01:2023'], nist: ['NISTAML.022'] } as const;
const NONE = { atlas: [], owasp: [], nist: [] } as const;

/** What a reader should know before believing the figures: masked gradients, and attacks that were too weak. */
export function reliabilityFindings(reliability: Reliability | undefined): readonly Finding[] {
  if (!reliability) return [];
  const suspicious = reliability.checks.filter(({ verdict }) => verdict === 'suspicious');
  return [...maskedGradients(suspicious), ...tooWeak(suspicious)];
}

function maskedGradients(suspicious: readonly Check[]): readonly Finding[] {
  const signs = suspicious.filter(({ masking }) => masking);
  if (signs.length === 0) return [];
  const open = signs.filter(({ heeded }) => !heeded);
  const remedies = [...new Set((open.length > 0 ? open : signs).flatMap(({ remedy }) => remedy ?? []))];
  return [
    {
      id: 'evasion/gradient-masking',
      title:
        open.length > 0
          ? 'The gradient is masked: the robust accuracy may be an illusion'
          : 'The gradient is masked, and the attacks went around it',
      severity: open.length > 0 ? 'medium' : 'low',
      taxonomy: EVASION,
      evidence: signs.map(({ title, evidence }) => `Expected: ${lowered(title)}. ${evidence}`).join(' '),
      remedy: `${remedies.join(' ')} A masked gradient alone does not say that the model is weak (a quantised one may be as strong as it looks), only that gradient attacks cannot tell.`,
    },
  ];
}

function tooWeak(suspicious: readonly Check[]): readonly Finding[] {
  const signs = suspicious.filter(({ masking }) => !masking);
  if (signs.length === 0) return [];
  return [
    {
      id: 'evasion/not-converged',
      title: 'The attacks were too weak: the robust accuracy is too high',
      severity: 'low',
      taxonomy: NONE,
      evidence: signs.map(({ evidence }) => evidence).join(' '),
      remedy: signs.flatMap(({ remedy }) => remedy ?? []).join(' '),
    },
  ];
}

const lowered = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
