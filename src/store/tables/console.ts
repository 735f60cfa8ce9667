/** Somebody signed in to the console. */
export interface SessionRow {
  /** SHA-256 of the session's id, which only the browser has. */
  hash: string;
  /** What the session is called where it is listed. */
  name: string;
  principal: string;
  tenant: string;
  /** The key that it stands on, or issuer and subject. */
  credential: string;
  /** The issuer of who signed in there; null for a key. */
  issuer: string | null;
  /** JSON: the claims that name the principal and its roles. */
  claims: string | null;
  address: string;
  created: number;
  /** The last call, to the minute. */
  seen: number;
  ends: number;
  ended: number | null;
  ended_by: string | null;
}

/** A link that signs somebody in, once. */
export interface LinkRow {
  /** SHA-256 of its secret. */
  hash: string;
  /** The key that the session will stand on. */
  credential: string;
  created: number;
  created_by: string;
  ends: number;
  used: number | null;
}
