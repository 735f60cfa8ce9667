import { createECDH, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { Pkcs11Module, Pkcs11Package } from './pkcs11.ts';

/** A key pair on a token. */
export interface TokenKey {
  readonly label: string;
  readonly id: number;
  readonly key: KeyObject;
  /** What the token says the curve is: the DER of an object identifier; P-256 unless given. */
  readonly params?: Buffer;
}

/** A token in memory. */
export interface Token {
  readonly label: string;
  readonly serialNumber?: string;
  readonly keys: readonly TokenKey[];
}

const P256 = Buffer.from('06082a8648ce3d030107', 'hex');
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** A new key on P-256. */
export const newTokenKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

/**
 * A package like `pkcs11js` whose tokens are in memory, with the PIN 1234; keys are found after the PIN was given. `open` counts modules and sessions
 * that were not closed. The module loads from `/token.so` alone.
 */
export function tokensInMemory(tokens: readonly Token[]): Pkcs11Package & { readonly open: () => number } {
  let open = 0;
  class PKCS11 implements Pick<Pkcs11Module, Used> {
    #found: readonly Buffer[] = [];
    #at: Token | undefined;
    #known = false;
    #signing: TokenKey | undefined;

    load(path: string) {
      if (path !== '/token.so') throw new Error('no such file');
    }
    C_Initialize() {
      open++;
    }
    C_Finalize() {
      open--;
    }
    close() {}
    C_GetSlotList() {
      return tokens.map((_, i) => {
        const slot = Buffer.alloc(8);
        slot.writeBigUInt64LE(BigInt(i + 7));
        return slot;
      });
    }
    C_GetTokenInfo(slot: Buffer) {
      const { label, serialNumber = '1' } = tokenAt(slot);
      // Fields are filled with blanks.
      return { label: label.padEnd(32), serialNumber, manufacturerID: 'maker', model: 'memory\0\0' };
    }
    C_OpenSession(slot: Buffer) {
      open++;
      this.#at = tokenAt(slot);
      return Buffer.alloc(1);
    }
    C_CloseSession() {
      open--;
    }
    C_Login(_: Buffer, user: number, pin: string) {
      if (user !== 1 || pin !== '1234') throw new Error('CKR_PIN_INCORRECT');
      this.#known = true;
    }
    C_FindObjectsInit(_: Buffer, template: readonly { readonly type: number; readonly value?: unknown }[]) {
      const wanted = new Map(template.map(({ type, value }) => [type, value]));
      this.#found = (this.#known ? this.#at!.keys : []).flatMap(({ label, id }, i) => {
        const object = wanted.get(3);
        const number = wanted.get(0x102) as Buffer | undefined;
        return (object ?? label) === label && (number?.[0] ?? id) === id ? [Buffer.of(i)] : [];
      });
    }
    C_FindObjects(_: Buffer, count: number) {
      return this.#found.slice(0, count);
    }
    C_FindObjectsFinal() {}
    C_GetAttributeValue(_: Buffer, [i]: Buffer) {
      const { key, params = P256 } = this.#at!.keys[i!]!;
      const { x, y } = createPublicKey(key).export({ format: 'jwk' });
      const point = Buffer.concat([Buffer.of(4), Buffer.from(x!, 'base64url'), Buffer.from(y!, 'base64url')]);
      return [{ value: params }, { value: Buffer.concat([Buffer.of(4, point.length), point]) }];
    }
    C_SignInit(_: Buffer, { mechanism }: { readonly mechanism: number }, [i]: Buffer) {
      if (mechanism !== 0x1041) throw new Error('CKR_MECHANISM_INVALID');
      this.#signing = this.#at!.keys[i!];
    }
    C_Sign(_: Buffer, digest: Buffer) {
      return ecdsa(digest, this.#signing!.key);
    }
  }
  const tokenAt = (slot: Buffer) => tokens[Number(slot.readBigUInt64LE()) - 7]!;
  return { PKCS11: PKCS11 as unknown as new () => Pkcs11Module, CK_PARAMS_AES_GCM: 0, open: () => open };
}

type Used = 'load' | 'close' | 'C_Initialize' | 'C_Finalize' | 'C_GetTokenInfo' | 'C_OpenSession' | 'C_Login';

const number = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
const bytesOf = (value: bigint) => Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

/** ECDSA on P-256 over a digest, as `r‖s`; node:crypto signs messages only. */
function ecdsa(digest: Buffer, key: KeyObject): Buffer {
  const d = number(Buffer.from(key.export({ format: 'jwk' }).d!, 'base64url'));
  const nonce = 1n + (number(randomBytes(40)) % (ORDER - 1n));
  const point = createECDH('prime256v1');
  point.setPrivateKey(bytesOf(nonce));
  const r = number(point.getPublicKey().subarray(1, 33)) % ORDER;
  let [inverse, power, left] = [1n, nonce, ORDER - 2n];
  for (; left > 0n; left >>= 1n, power = (power * power) % ORDER)
    if (left & 1n) inverse = (inverse * power) % ORDER;
  return Buffer.concat([bytesOf(r), bytesOf((inverse * (number(digest) + r * d)) % ORDER)]);
}
