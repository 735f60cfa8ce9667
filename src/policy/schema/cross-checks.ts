import { suggestion } from '../../core/options.ts';
import type { PolicyFile } from './policy.ts';
import type { PolicyProblem } from './problems.ts';

/**
 * What the form of a policy cannot say: names that must lead somewhere, signers who must be different, requirements that must know who
 * vouches for them.
 */
export function crossChecks(policy: PolicyFile): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const signers = Object.keys(policy.signers);
  const threats = Object.keys(policy.threats ?? {});
  const oneOf = (path: readonly PropertyKey[], known: readonly string[], what: string, name: string) => {
    if (!known.includes(name))
      problems.push({
        path,
        says: `expected ${known.length > 0 ? `${what} (${known.join(', ')})` : `${what}, of which there are none`}, got '${name}'${suggestion(name, known)}`,
      });
  };
  twins(policy, problems);
  for (const [i, name] of (policy.defaults?.signers ?? []).entries())
    oneOf(['defaults', 'signers', i], signers, 'a name under signers', name);
  for (const [i, { stages }] of policy.models.entries())
    for (const [stage, requirements] of Object.entries(stages)) {
      const ids = new Set<string>();
      for (const [j, requirement] of requirements.entries()) {
        const path = ['models', i, 'stages', stage, j];
        const id = requirement.id ?? requirement.require;
        if (ids.has(id))
          problems.push({
            path,
            says: `expected an id of its own, got '${id}' a second time; give it an id`,
          });
        ids.add(id);
        for (const [k, name] of (requirement.signers ?? []).entries())
          oneOf([...path, 'signers', k], signers, 'a name under signers', name);
        const vouching = requirement.signers ?? policy.defaults?.signers;
        if (vouching === undefined)
          problems.push({
            path,
            says: 'expected signers here or under defaults, got none: who may vouch for this?',
          });
        if (requirement.require === 'signature') {
          const { atLeast, postQuantum } = requirement;
          if (vouching !== undefined && (atLeast ?? 1) > vouching.length)
            problems.push({
              path: [...path, 'atLeast'],
              says: `expected at most the ${vouching.length} that signers names, got ${atLeast}`,
            });
          for (const name of postQuantum ? (vouching ?? []) : [])
            if (policy.signers[name] && !policy.signers[name].postQuantumKey)
              problems.push({
                path: ['signers', name],
                says: `expected a postQuantumKey, because '${id}' of ${stage} asks for one, got none`,
              });
        } else if (requirement.fresh === undefined && policy.defaults?.fresh === undefined)
          problems.push({
            path,
            says: 'expected fresh here or under defaults, got none: how old may the evidence be? ("any age" is an answer)',
          });
        if ('threat' in requirement)
          oneOf([...path, 'threat'], threats, 'a name under threats', requirement.threat);
      }
    }
  for (const [i, { requirement, stage }] of (policy.exceptions ?? []).entries()) {
    const stages = [...new Set(policy.models.flatMap((entry) => Object.keys(entry.stages)))];
    oneOf(['exceptions', i, 'stage'], stages, 'a stage', stage);
    const ids = policy.models.flatMap((entry) => (entry.stages[stage] ?? []).map((r) => r.id ?? r.require));
    if (stages.includes(stage))
      oneOf(['exceptions', i, 'requirement'], [...new Set(ids)], `a requirement of ${stage}`, requirement);
  }
  return problems;
}

/** Two names for one key would let one person count twice. */
function twins({ signers }: PolicyFile, problems: PolicyProblem[]): void {
  const seen = new Map<string, string>();
  for (const [name, { key, certificate, sigstore, postQuantumKey }] of Object.entries(signers))
    for (const identity of [key, certificate, sigstore, postQuantumKey]) {
      if (identity === undefined) continue;
      const text = JSON.stringify(identity);
      const other = seen.get(text);
      if (other !== undefined)
        problems.push({
          path: ['signers', name],
          says: `expected a key or an identity of its own, got that of '${other}': one person would count twice`,
        });
      seen.set(text, name);
    }
}
