import type { SecretRule } from '../rule.ts';
import { sticky } from './patterns.ts';

const USER_AND_PASSWORD = String.raw`://[^\s:/@"'<>]{0,100}:(?<secret>[^\s/@"'<>]{3,200})@[^\s/"'<>@]{1,253}`;

/** Schemes of databases and queues. Client libraries add their driver's name: `postgresql+psycopg2`. */
const DATABASES =
  'postgres|postgresql|mysql|mariadb|mongodb|redis|rediss|amqp|amqps|mssql|sqlserver|oracle|clickhouse|cockroachdb|neo4j|bolt|cassandra|milvus';

/** Passwords inside addresses. */
export const ADDRESS_RULES: readonly SecretRule[] = [
  {
    id: 'database-url',
    title: 'Database address with a password',
    severity: 'critical',
    why: 'Whoever has it reads and changes the data.',
    anchors: ['://'],
    pattern: sticky(String.raw`(?<=(?:${DATABASES})(?:\+[a-z0-9]{1,20})?)${USER_AND_PASSWORD}`, 'i'),
    source: 'https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1',
  },
  {
    id: 'url-password',
    title: 'Address with a password',
    severity: 'high',
    why: 'Whoever reads it logs in as the user.',
    anchors: ['://'],
    pattern: sticky(`(?<=(?:https?|ftps?|sftp|ssh|git|s3|smb|ldaps?|socks5h?))${USER_AND_PASSWORD}`, 'i'),
    entropy: 2,
    source: 'https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1',
  },
  {
    id: 'netrc-password',
    title: 'Password in a .netrc',
    severity: 'critical',
    why: 'Whoever reads it logs in as the user.',
    anchors: ['machine '],
    pattern: sticky(
      String.raw`machine[ \t]{1,4}\S{1,100}\s{1,8}login\s{1,4}\S{1,100}\s{1,8}password\s{1,4}(?<secret>\S{6,200})`,
    ),
    entropy: 2,
    source: 'https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html',
  },
];
