import type { Signer } from '../sign/signer.ts';

/** An in-toto statement: what somebody says about files, named by their digests (https://in-toto.io/Statement/v1). */
export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicateType: string;
  readonly predicate: object;
}

/** The model that statements are about. */
export interface StatementSubject {
  readonly name: string;
  /** The model's root digest, `sha256:…`: the same that its signature names. */
  readonly digest: string;
  /** `sha256:…` of each of its files, where they were hashed with SHA-256 and whole. */
  readonly files: readonly string[];
}

/** A statement of one predicate about one model. */
export function statementAbout(
  { name, digest }: Pick<StatementSubject, 'name' | 'digest'>,
  predicateType: string,
  predicate: object,
): Statement {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: { sha256: digest.replace(/^sha256:/, '') } }],
    predicateType,
    predicate,
  };
}

/** The statement signed: a Sigstore bundle with a DSSE envelope, as a model's signature is one. Errors: those of the signer. */
export async function signStatement(statement: Statement, signer: Signer): Promise<string> {
  return `${JSON.stringify(await signer.sign(Buffer.from(JSON.stringify(statement))))}\n`;
}
