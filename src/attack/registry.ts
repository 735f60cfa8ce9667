import { GlacisError } from '../core/error.ts';
import { mergeOptions, type Spec, suggestion } from '../core/options.ts';
import type { Attack } from './attack.ts';
import { acg } from './evasion/acg.ts';
import { apgdCe, apgdDlr, apgdT } from './evasion/apgd.ts';
import { autoattack } from './evasion/autoattack.ts';
import { boundary } from './evasion/boundary.ts';
import { brendelBethge } from './evasion/brendel-bethge.ts';
import { cwL0 } from './evasion/cw-l0.ts';
import { cwL2 } from './evasion/cw-l2.ts';
import { cwLinf } from './evasion/cw-linf.ts';
import { ddn } from './evasion/ddn.ts';
import { deepFool } from './evasion/deepfool.ts';
import { diFgsm } from './evasion/di-fgsm.ts';
import { ead } from './evasion/ead.ts';
import { eotPgd } from './evasion/eot-pgd.ts';
import { fab, fabT } from './evasion/fab.ts';
import { feature } from './evasion/feature.ts';
import { fmn } from './evasion/fmn.ts';
import { geoda } from './evasion/geoda.ts';
import { hopSkipJump } from './evasion/hop-skip-jump.ts';
import { jsma } from './evasion/jsma.ts';
import { lowProFool } from './evasion/lowprofool.ts';
import { miFgsm } from './evasion/mi-fgsm.ts';
import { nes } from './evasion/nes.ts';
import { niFgsm } from './evasion/ni-fgsm.ts';
import { onePixel } from './evasion/one-pixel.ts';
import { patch } from './evasion/patch.ts';
import { bim, fgsm, pgd } from './evasion/pgd.ts';
import { pointwise } from './evasion/pointwise.ts';
import { rays } from './evasion/rays.ts';
import { composite, semantic } from './evasion/semantic.ts';
import { signOpt } from './evasion/sign-opt.ts';
import { simba } from './evasion/simba.ts';
import { sparseFool } from './evasion/sparsefool.ts';
import { spatial } from './evasion/spatial.ts';
import { spsa } from './evasion/spsa.ts';
import { square } from './evasion/square.ts';
import { universal } from './evasion/universal.ts';
import { vmiFgsm } from './evasion/vmi-fgsm.ts';
import { wasserstein } from './evasion/wasserstein.ts';
import { zoo } from './evasion/zoo.ts';
import { transferOver } from './transfer.ts';

/** Every evasion attack, A to Z. */
export const EVASION_ATTACKS: readonly Attack<object>[] = [
  // One line each, so that additions meet no others.
  erased(acg),
  erased(apgdCe),
  erased(apgdDlr),
  erased(apgdT),
  erased(autoattack),
  erased(bim),
  erased(boundary),
  erased(brendelBethge),
  erased(composite),
  erased(cwL0),
  erased(cwL2),
  erased(cwLinf),
  erased(ddn),
  erased(deepFool),
  erased(diFgsm),
  erased(ead),
  erased(eotPgd),
  erased(fab),
  erased(fabT),
  erased(feature),
  erased(fgsm),
  erased(fmn),
  erased(geoda),
  erased(hopSkipJump),
  erased(jsma),
  erased(lowProFool),
  erased(miFgsm),
  erased(nes),
  erased(niFgsm),
  erased(onePixel),
  erased(patch),
  erased(pgd),
  erased(pointwise),
  erased(rays),
  erased(semantic),
  erased(signOpt),
  erased(simba),
  erased(sparseFool),
  erased(spatial),
  erased(spsa),
  erased(square),
  erased(transferOver(() => EVASION_ATTACKS)),
  erased(universal),
  erased(vmiFgsm),
  erased(wasserstein),
  erased(zoo),
];

/** An attack together with its merged and checked options. */
export interface PlannedAttack {
  readonly attack: Attack<object>;
  readonly options: object;
}

/** An attack, of one's own perhaps, with its options merged and checked. Errors: `option/unknown`, `option/invalid`. */
export function planned<Options extends object>(
  attack: Attack<Options>,
  given: Partial<Options> = {},
): PlannedAttack {
  const options = mergeOptions(attack.id, attack.defaults, given);
  attack.check(options);
  return { attack: erased(attack), options };
}

/** Finds the attack that `spec` names and merges its options. Errors: `option/unknown`, `option/invalid`. */
export function planAttack(spec: Spec): PlannedAttack {
  const attack = EVASION_ATTACKS.find((a) => a.id === spec.name);
  if (!attack) {
    const names = EVASION_ATTACKS.map((a) => a.id);
    throw new GlacisError(
      'option/unknown',
      `--attacks: expected ${names.join(', ')}, got '${spec.name}'${suggestion(spec.name, names)}`,
    );
  }
  return planned(attack, spec.options);
}

/** An attack among others: its options have been merged with its own defaults, so its own type fits them. */
function erased<Options extends object>(attack: Attack<Options>): Attack<object> {
  return attack as unknown as Attack<object>;
}
