/** Asks the STS of a region for credentials of a role, with credentials of one's own. */
import { SignatureV4 } from "@smithy/signature-v4";
import { Sha256 } from "../aws/sha256.ts";
import type { Clock } from "../runtime/clock.ts";
import type { AssumeRole, RoleCredentials } from "./credentials.ts";

export interface StsOptions {
  /** The region's endpoint, for example `https://registry.us-east-1.example.com`. */
  readonly endpoint: string;
  readonly region: string;
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
  };
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
}

const answerBytesLimit = 256 * 1024;
const timeoutMilliseconds = 20_000;

/** @throws with STS's own words when it refuses */
export function assumeOverSts(options: StsOptions): AssumeRole {
  const { endpoint, region, roleArn, credentials, clock } = options;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const url = new URL(endpoint);
  const signer = new SignatureV4({
    service: "sts",
    region,
    credentials: {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken !== undefined && { sessionToken }),
    },
    sha256: Sha256,
  });
  return async () => {
    const body = new URLSearchParams({
      Action: "AssumeRole",
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: options.sessionName,
      DurationSeconds: String(options.durationSeconds),
    }).toString();
    const issuedAt = clock.now();
    const { headers } = await signer.sign(
      {
        method: "POST",
        protocol: url.protocol,
        hostname: url.hostname,
        path: "/",
        headers: {
          host: url.host,
          "content-type": "application/x-www-form-urlencoded",
        },
        body,
      },
      { signingDate: new Date(issuedAt) },
    );
    const response = await options.fetch(`${url.origin}/`, {
      method: "POST",
      headers,
      body,
      signal: AbortSignal.timeout(timeoutMilliseconds),
    });
    const text = (await response.text()).slice(0, answerBytesLimit);
    if (!response.ok) {
      throw new Error(`STS refused the role: ${member(text, "Message") ?? response.status}`);
    }
    return parse(text, issuedAt);
  };
}

function parse(text: string, issuedAt: number): RoleCredentials {
  const [accessKeyId, secretAccessKey, sessionToken, expiration] = [
    "AccessKeyId",
    "SecretAccessKey",
    "SessionToken",
    "Expiration",
  ].map((name) => member(text, name));
  const expiresAt = Date.parse(expiration ?? "");
  if (!accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(expiresAt)) {
    throw new Error("STS did not answer with credentials");
  }
  return { accessKeyId, secretAccessKey, sessionToken, issuedAt, expiresAt };
}

function member(xml: string, name: string): string | undefined {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return text
    ?.replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}
