/** Who may be given keys: a person or a program. */
export interface PrincipalRow {
  id: string;
  tenant: string;
  name: string | null;
  /** JSON list of names. */
  roles: string;
  created: number;
  changed: number;
  /** When it was shut out; null while it is not. */
  disabled: number | null;
  note: string | null;
}

/** A credential of a principal, without its secret. */
export interface ApiKeyRow {
  id: string;
  /** Of the secret; no two keys share one. */
  hash: string;
  /** How `hash` was made. */
  algorithm: string;
  /** What a person calls it. */
  name: string | null;
  principal: string;
  tenant: string;
  /** JSON list of names. */
  roles: string;
  /** JSON list of what the key is confined to. */
  scopes: string;
  created: number;
  created_by: string;
  not_before: number | null;
  expires: number | null;
  last_used: number | null;
  revoked: number | null;
  revoked_by: string | null;
  revoked_because: string | null;
  /** The key that took its place. */
  replaced_by: string | null;
}
