import type { Assessment } from '../assess/result.ts';
import { count, interval, NORM_NAMES, percent, radius } from './format.ts';
import type { Gallery } from './gallery.ts';
import { keyPicture } from './gallery-section.ts';
import { legend } from './legend.ts';
import { html, type Markup } from './markup.ts';
import { rightAnswers, type VerdictLevel, verdictOf, worstCases } from './verdict.ts';

/** The verdict's level as a label. */
const LABELS: Readonly<Record<VerdictLevel, string>> = {
  held: 'It held',
  weakened: 'Weakened',
  'gave way': 'It gave way',
  fell: 'It fell',
  unknown: 'Unknown',
};

/** The verdict in plain words with one telling sample, the big figures and what became of all answers. */
export function verdictSection(assessment: Assessment, gallery: Gallery | undefined): Markup {
  const { level, headline, details, worst } = verdictOf(assessment);
  const { towards } = assessment;
  const others = worstCases(assessment).filter((each) => each !== worst);
  return html`<section class="verdict">
${
  assessment.status === 'partial' &&
  html`<p class="partial"><b>This assessment is not finished.</b> ${assessment.statusReason ?? 'It was stopped before all attacks were done.'} What is shown was verified; attacks that are missing could only lower the accuracy.</p>`
}
<div class="opening"><div>
<p><span class="chip ${level.replace(' ', '-')}">${LABELS[level]}</span></p>
<h1>${headline}</h1>
<p class="story">${details.join(' ')}</p>
</div>${keyPicture(gallery)}</div>
${
  worst &&
  html`<div class="figures">
<div><span class="figure">${percent(worst.cleanAccuracy)}</span><span class="what">clean accuracy</span><span class="muted">right without an attack</span></div>
<div><span class="figure robust">${percent(worst.robustAccuracy)}</span><span class="what">${towards ? 'right and not led there' : 'robust accuracy'}</span><span class="muted">95&nbsp;% confidence <span class="option">${interval(worst.confidence)}</span></span></div>
<div><span class="figure lost">${count(rightAnswers(worst).changed)}</span><span class="what">${towards ? 'led to the target' : 'answers changed'}</span><span class="muted">of ${count(towards?.attacked ?? rightAnswers(worst).before)} that were right${towards && ' and of other classes'}</span></div>
</div>
${fate(rightAnswers(worst))}`
}
${
  others.length > 0 &&
  html`<ul class="budgets"><li class="intro">Other budgets</li>${others.map((each) => html`<li><b>${percent(each.robustAccuracy)}</b> <span class="muted">at ${NORM_NAMES[each.norm]} ${radius(each.eps)}</span></li>`)}</ul>`
}
</section>`;
}

/** One bar of all answers: right under attack, changed by it, wrong from the start. */
function fate({ after, changed, wrong }: ReturnType<typeof rightAnswers>): Markup {
  const all = after + changed + wrong;
  const gap = 0.25;
  let x = 0;
  const part = (kind: string, samples: number) => {
    const width = (samples / all) * 100;
    const rect = html`<rect class="${kind}" x="${round(x)}" y="0" width="${round(Math.max(0, width - gap))}" height="10"/>`;
    x += width;
    return samples > 0 ? rect : null;
  };
  return html`<div class="fate"><svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="${after} right under attack, ${changed} changed, ${wrong} wrong from the start">${part('held', after)}${part('changed', changed)}${part('rest', wrong)}</svg>
${legend(['held', `${count(after)} still right`], ['changed', `${count(changed)} changed by the attack`], ['rest', `${count(wrong)} wrong from the start`])}</div>`;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
