import { LEAKED_CREDENTIAL } from '../finding/finding.ts';
import type { SarifRule } from '../finding/sarif.ts';
import { SECRET_RULES } from './rules/registry.ts';

/** The rules as SARIF describes them. */
export function secretsSarifRules(): readonly SarifRule[] {
  return SECRET_RULES.map(({ id, title, why, severity }) => ({
    id: `secrets/${id}`,
    title,
    why,
    severity,
    taxonomy: LEAKED_CREDENTIAL,
  }));
}
