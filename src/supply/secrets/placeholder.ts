/** Parts of values that documents put where a secret belongs. None is likely by chance in a random key. */
const MARKS =
  /example|placeholder|change[_-]?me|dummy|sample|redacted|masked|insert[_-]|replace[_-]|your[_-]|[_-]here\b|<\w|\$\{|\{\{|\}\}|\$\(|%\(|xxxxx|\*{3}|\.{3}|fake|not[_-]?a[_-]?real|abcdef|012345|123456|qwerty|deadbeef|foobar|lorem/i;

/** References to where the value is kept, and not the value. */
const REFERENCES =
  /^(?:\$\w|%\w+%$|@\w+@$|(?:process\.)?env[.[(]|os\.(?:environ|getenv)|getenv|config[.[]|settings[.[]|secrets?[.[(]|vars?[.[]|self\.|args?\.|params?[.[]|vault:|arn:|projects\/|keyring|getpass|input\()/i;

/** Passwords that open nothing worth opening: they are printed in every manual. */
const WORN: ReadonlySet<string> = new Set(
  'password passwd pass passw0rd password1 password123 p@ssw0rd p@ssword p@ss p%40ss p%40ssword secret secret123 changeit default admin administrator root toor user username guest test testing test123 test1234 postgres postgresql mysql mongo mongodb redis rabbitmq minio minioadmin localhost hunter2 letmein none null undefined true false'.split(
    ' ',
  ),
);

/** Whether `secret` stands for a secret and is none: a placeholder, a variable, a run of one character, a manual's password. */
export function isPlaceholder(secret: string): boolean {
  if (MARKS.test(secret) || REFERENCES.test(secret)) return true;
  if (WORN.has(secret.toLowerCase())) return true;
  return /(.)\1{5}/.test(secret) || new Set(secret).size < 4;
}
