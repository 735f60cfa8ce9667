import { ANY, against, art, foolbox, type Scale, type StrengthCase, torchattacks } from './strength-case.ts';

const WARM =
  "torchattacks begins each constant of EAD's search where the last one ended, as if its steps were more; the paper's own program, Foolbox and ours begin at the sample.";

const TOLD =
  "ART's attack takes the two elements that raise its target most and looks at no other class. It is told the class to reach: the second most likely one.";

const OWN_COSTS =
  'Either side weighs changes in its own way (ours in standard deviations of a column), so that what counts is whether there is an example. ART is told the class to reach, the second most likely one, and goes with the most successful of a few step lengths, as ours does.';

/** Attacks that seek the nearest example by gradient; our refinement is off, so that the steps are what is compared. */
export function minimumCases({
  network,
  linf,
  l2,
  l1,
  short,
  long,
  slow,
  colour,
  seeds,
}: Scale): readonly StrengthCase[] {
  const rate = colour ? 0.01 : 0.1;
  const searches = colour ? 3 : 5;
  const some = colour ? long : 50;
  const c = colour ? 1 : 10;
  return [
    ...against(network, short, 'l2', 'deepfool(steps=50, refine=false)', [
      foolbox('deepfool', { steps: 50, candidates: 10 }),
      torchattacks('deepfool', { steps: 50 }),
      art('deepfool', { max_iter: 50, epsilon: 0.02, nb_grads: 10 }),
    ]),
    ...against(network, short, 'linf', 'deepfool(steps=50, refine=false)', [
      foolbox('deepfool', { steps: 50, candidates: 10 }),
    ]),
    ...against(
      network,
      some,
      'l2',
      `cw-l2(steps=100, stepSize=${rate}, searchSteps=${searches}, refine=false)`,
      [foolbox('cw-l2', { steps: 100, stepsize: rate, binary_search_steps: searches })],
    ),
    ...against(
      network,
      some,
      'l2',
      `cw-l2(steps=100, stepSize=${rate}, searchSteps=1, initialConst=${c}, abortEarly=false, refine=false)`,
      [
        foolbox('cw-l2', {
          steps: 100,
          stepsize: rate,
          binary_search_steps: 1,
          initial_const: c,
          abort_early: false,
        }),
      ],
    ),
    ...against(
      network,
      some,
      'l2',
      `cw-l2(steps=100, stepSize=${rate}, searchSteps=1, initialConst=${c}, shrink=1, abortEarly=${colour}, refine=false)`,
      [torchattacks('cw-l2', { c, steps: 100, lr: rate })],
    ),
    ...against(network, slow, 'linf', 'cw-linf(steps=30, refine=false)', [art('cw-linf', { max_iter: 30 })]),
    ...against(network, slow, 'l0', 'cw-l0(steps=30, refine=false)', [art('cw-l0', { max_iter: 30 })]),
    ...against(network, some, 'l1', `ead(steps=100, searchSteps=${searches}, refine=false)`, [
      foolbox('ead', { steps: 100, decision_rule: 'L1', binary_search_steps: searches }),
    ]),
    ...against(
      network,
      some,
      'l1',
      `ead(steps=100, searchSteps=${searches}, beta=0.001, refine=false)`,
      [torchattacks('ead', { max_iterations: 100, binary_search_steps: searches })],
      { note: WARM },
    ),
    ...against(network, short, 'l2', 'ddn(steps=50, refine=false)', [foolbox('ddn', { steps: 50 })]),
    ...(['linf', 'l2', 'l1', 'l0'] as const).flatMap((norm) =>
      // Numbers of changed elements are whole: the median of few samples jumps by one.
      against(network, norm === 'l0' ? 120 : some, norm, 'fmn(steps=50, refine=false)', [
        foolbox('fmn', { steps: 50 }),
      ]),
    ),
    ...(['linf', 'l2', 'l1', 'l0'] as const).flatMap((norm) =>
      // It starts at noise, and 50 steps end not far from there.
      against(
        network,
        slow,
        norm,
        'brendel-bethge(steps=50, refine=false)',
        [foolbox('brendel-bethge', { steps: 50, batch: 1 })],
        // Noise, which it begins with, does not fool every colour picture.
        { seeds, ...(colour && { startable: true }) },
      ),
    ),
    ...(['linf', 'l2', 'l1'] as const).flatMap((norm) => [
      ...against(network, some, norm, 'fab(steps=20, refine=false)', [
        torchattacks('fab', { steps: 20, n_restarts: 1 }),
      ]),
      // The peer goes on to the next class where the last one led to nothing within the radius.
      ...against(
        network,
        slow,
        norm,
        'fab-t(steps=20, refine=false)',
        [torchattacks('fab-t', { steps: 20, n_restarts: 1, multi_targeted: true, n_classes: 10 })],
        { eps: { linf, l2, l1 }[norm] },
      ),
    ]),
    ...against(network, slow, 'l0', 'jsma(gamma=1, direction=increase, refine=false)', [
      torchattacks('jsma', { theta: 1, gamma: colour ? 0.02 : 1 }),
    ]),
    ...against(
      network,
      slow,
      'l0',
      'jsma(gamma=1, direction=increase, saliency=target, refine=false)',
      [art('jsma', { theta: 1, gamma: colour ? 0.02 : 1 })],
      { note: TOLD },
    ),
    ...against(
      network,
      short,
      'l2',
      `lowprofool(steps=100, importance=equal, eta=${colour ? 0.05 : 5}, refine=false)`,
      [art('lowprofool', { n_steps: 100, eta: colour ? 0.05 : 20, lambd: 1.5 })],
      { eps: ANY, note: OWN_COSTS },
    ),
    ...against(network, some, 'l0', 'sparsefool(steps=10, refine=false)', [
      torchattacks('sparsefool', { steps: 10, lam: 3 }),
    ]),
  ];
}
