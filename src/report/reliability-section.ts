import type { Check, CheckId, CheckVerdict, Reliability } from '../assess/reliability/reliability.ts';
import { counted, duration, NORM_NAMES, radius } from './format.ts';
import { html, type Markup } from './markup.ts';

/** What each check asks, for readers who do not attack models for a living. */
const QUESTIONS: Readonly<Record<CheckId, string>> = {
  'zero-gradients':
    'Most attacks walk uphill on the loss. Where the gradient is zero they cannot move, and the model looks robust for no reason.',
  'local-agreement':
    'A gradient that says one thing while the model does another sends attacks the wrong way.',
  'hidden-slope': 'A saturated layer makes the gradient tiny although the answer can be changed nearby.',
  'loss-direction':
    'Steps along the gradient should make the answer worse for the model, not up and down by chance.',
  'blurred-gradient':
    'Ripples and steep stairs lead the gradient astray; its mean over many points nearby sees past them. An honest model needs no such help.',
  'one-step': 'An attack that looks again after every step should never do worse than one that does not.',
  'more-steps': 'Attacks that stop too early leave samples standing that a little patience would change.',
  'larger-eps':
    'If every input is allowed, an attack has to succeed on every sample. One that does not is broken, and its figures are, too.',
  noise: 'An attack that loses to random noise is not looking in the right place.',
  'without-gradients':
    'Attacks that see only answers know less. Where they still do better, the gradient hides something.',
  transfer:
    'Examples made on another model know nothing of this one. Where they still do better, its gradient hides something.',
  saturation:
    'A model that is too sure of itself rounds its own gradient to zero, and so does one whose outputs are pressed under a ceiling.',
  steps: 'Rounding, quantisation and comparisons have no gradient; attacks have to be told how to pass them.',
  randomness:
    'A model that answers at random is lucky against an attack that tries once. A real attacker tries again.',
};

const WORDS: Readonly<Record<CheckVerdict, string>> = {
  good: 'holds',
  suspicious: 'doubtful',
  unknown: 'not known',
};

/** How far the figures can be trusted: each check with what it asks and what it saw, the suspicious ones first. */
export function reliabilitySection(reliability: Reliability | undefined): Markup | null {
  if (!reliability) return null;
  const { checks, samples, norm, eps, queries, gradientQueries, seconds } = reliability;
  const of = (verdict: CheckVerdict) => checks.filter((check) => check.verdict === verdict);
  const passes = counted(queries + gradientQueries, 'pass').replace('passs', 'passes');
  return html`<section class="reliability">
<h2>How far these figures can be trusted</h2>
<p class="lead">${reliabilitySummary(reliability)}</p>
<ul class="checks">${[...of('suspicious'), ...of('good'), ...of('unknown')].map(row)}</ul>
<p class="muted small">Looked at around ${counted(samples, 'right answer')} within ${NORM_NAMES[norm]} ${radius(eps)}: ${passes}, ${duration(seconds)}. Where a suspicion begins was measured on models whose gradients are known to be good or hidden, and fixed before the checks were tried on others. Good marks are no proof: a defence that none of these checks knows can hide a gradient, too.</p>
</section>`;
}

/** The checks in two sentences; also for the terminal. */
export function reliabilitySummary({ checks, masked }: Pick<Reliability, 'checks' | 'masked'>): string {
  const suspicious = checks.filter(({ verdict }) => verdict === 'suspicious');
  const known = checks.filter(({ verdict }) => verdict !== 'unknown').length;
  const unknown =
    known < checks.length
      ? ` ${counted(checks.length - known, 'check')} of ${checks.length} could not be made.`
      : '';
  if (masked) {
    const heeded = suspicious.filter(({ masking }) => masking).every((check) => check.heeded);
    return heeded
      ? `The model's gradient is masked, and the attacks went around what masks it: the figures may stand, with this in mind.${unknown}`
      : `The model's gradient is masked: gradient attacks do not see what a patient attacker would find, and the robust accuracy may be far too high.${unknown}`;
  }
  if (suspicious.length > 0)
    return `Nothing hides the model's gradient, but the attacks were too weak: the robust accuracy is too high.${unknown}`;
  if (known === 0)
    return 'None of the checks could be made here: how far the figures can be trusted is not known.';
  return `Nothing was found that hides the model's gradient from attacks or stops them early.${unknown}`;
}

function row({ id, title, verdict, evidence, heeded }: Check): Markup {
  return html`<li class="check ${verdict}">
<p class="mark">${sign(verdict)}<span>${WORDS[verdict]}</span></p>
<div><h3>${title}</h3>
<p>${evidence}${verdict === 'suspicious' && heeded && html` <b>The attacks took account of it.</b>`}</p>
<p class="muted small">${QUESTIONS[id]}</p></div>
</li>`;
}

/** A tick, a warning triangle, or a dash: told apart without colour. */
function sign(verdict: CheckVerdict): Markup {
  const shape =
    verdict === 'good'
      ? html`<path d="M3 9.5 L7 13.5 L15 4.5"/>`
      : verdict === 'suspicious'
        ? html`<path d="M9 2.5 L16.5 15.5 H1.5 Z M9 7 V11 M9 13 V13.4"/>`
        : html`<path d="M4 9 H14"/>`;
  return html`<svg viewBox="0 0 18 18" aria-hidden="true">${shape}</svg>`;
}
