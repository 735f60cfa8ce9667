import { z } from 'zod';
import { policySchema } from './policy.ts';

/**
 * The JSON Schema (draft 2020-12) of a policy file as people write it, for editors that check and complete YAML while one types. Made from
 * the schema that reads policies; what needs more than one place at a time (a name that must exist, one of several keys) is only checked
 * when the file is read.
 */
export function policyJsonSchema(): object {
  return {
    ...z.toJSONSchema(policySchema, { io: 'input', target: 'draft-2020-12' }),
    title: 'glacis.yaml',
  };
}
