/** Calculates the signature that a request should have, with AWS's own library. */
import {
  ALGORITHM_IDENTIFIER,
  createScope,
  getCanonicalHeaders,
  getSigningKey,
  SignatureV4Base,
} from "@smithy/signature-v4";
import type { AccessKey } from "../access/credentials.ts";
import type { Query, Signature } from "./read-signature.ts";
import { Sha256 } from "./sha256.ts";

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Query;
  readonly headers: Headers;
}

/**
 * The library's own steps, with two differences to its `sign`: exactly the headers that the client
 * signed are taken (also such as the library would leave out, like `date` and `user-agent`), and
 * the hash of the payload is the one calculated here.
 */
export class SignatureRecalculation extends SignatureV4Base {
  readonly #region: string;
  readonly #credentials: { accessKeyId: string; secretAccessKey: string };

  constructor({ region, service }: { region: string; service: string }, key: AccessKey) {
    const credentials = { accessKeyId: key.id, secretAccessKey: key.secretAccessKey };
    super({ region, service, credentials, sha256: Sha256 });
    this.#region = region;
    this.#credentials = credentials;
  }

  /**
   * Hexadecimal. Undefined when no signature can be right, because the signed headers are not all
   * there, or are not listed once each and in order.
   */
  async signature(
    { method, path, query, headers }: ReceivedRequest,
    { signedHeaders, date }: Signature,
    payloadHash: string,
  ): Promise<string | undefined> {
    const values = signedHeaders.flatMap((name) => {
      const value = isHeaderName(name) ? headers.get(name) : null;
      return value === null ? [] : [[name, value] as const];
    });
    const request = {
      method,
      protocol: "https:",
      hostname: headers.get("host") ?? "",
      path,
      query: Object.fromEntries([...query].map(([name, found]) => [name, [...found]])),
      headers: Object.fromEntries(values),
    };
    const canonicalHeaders = getCanonicalHeaders(request, undefined, new Set(signedHeaders));
    if (this.getCanonicalHeaderList(canonicalHeaders) !== signedHeaders.join(";")) return undefined;
    const canonicalRequest = this.createCanonicalRequest(request, canonicalHeaders, payloadHash);
    const shortDate = date.basic.slice(0, 8);
    const scope = createScope(shortDate, this.#region, this.service);
    const text = await this.createStringToSign(
      date.basic,
      scope,
      canonicalRequest,
      ALGORITHM_IDENTIFIER,
    );
    const key = await getSigningKey(
      Sha256,
      this.#credentials,
      shortDate,
      this.#region,
      this.service,
    );
    const hmac = new Sha256(key);
    hmac.update(text);
    return Buffer.from(await hmac.digest()).toString("hex");
  }
}

/** `Headers.get` throws on anything else. */
function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name);
}
