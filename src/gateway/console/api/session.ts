/**
 * `GET /api/session`: who is signed in. `POST /api/session/link {link}` signs in with a one-time link, `POST /api/session/end` signs out. Every POST carries `x-glacis-csrf`;
 * what a page asks by itself, while nobody has touched it for a minute, carries `x-glacis-idle: 1`, so that an empty chair is signed out.
 */
export interface SessionInfo {
  readonly principal: string;
  readonly roles: readonly string[];
  /** Actions of the management side that it may do: buttons for others are not drawn. */
  readonly may: readonly string[];
  readonly csrf: string;
  readonly ends: number;
  /** Whether this gateway serves a demonstration: said on every page. */
  readonly demo: boolean;
}

/**
 * `GET /api/session/ways`, for who is not signed in: buttons beside the one-time link. `start` is a path of this server that leads to the provider; `?to=/console/…` is
 * where to come back to. Who comes back without being signed in is at `/console/#refused=` and `expired`, `denied`, `failed`, `no-role` or `throttled`.
 */
export interface SignInWays {
  readonly oidc: readonly { readonly name: string; readonly start: string }[];
  readonly demo: boolean;
}
