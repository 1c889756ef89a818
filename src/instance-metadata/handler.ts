/**
 * The credentials of a role the way instances and containers of AWS get them, for unmodified SDKs.
 *
 *     PUT /latest/api/token                                        a session token (IMDSv2)
 *     GET /latest/meta-data/iam/security-credentials/              the role's name
 *     GET /latest/meta-data/iam/security-credentials/<role>        its credentials
 *     GET /latest/meta-data/iam/info, …/placement/region, …
 *     GET /latest/dynamic/instance-identity/document
 *     GET /credentials                                             for containers, with their token
 *
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
import { createHmac } from "node:crypto";
import { equalInConstantTime } from "../access/constant-time.ts";
import type { Clock, Random } from "../runtime/clock.ts";
import type { Handler } from "../runtime/request.ts";
import type { CredentialsSource } from "./credentials.ts";

export interface InstanceMetadataOptions {
  readonly credentials: CredentialsSource;
  readonly roleName: string;
  readonly roleArn: string;
  readonly account: string;
  readonly region: string;
  /** What containers send as their Authorization header. */
  readonly containerToken: string;
  /** Whether an address may ask: the hop limit. */
  readonly isNear: (address: string) => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly reportError: (error: unknown) => void;
}

const tokenSecondsLimit = 21_600;
const instanceId = "i-0portolan00000000";

export function instanceMetadataHandler(options: InstanceMetadataOptions): Handler {
  const { credentials, roleName, roleArn, account, region, clock } = options;
  // Tokens say when they end and are signed: nothing is remembered, nothing can be filled up.
  const key = options.random.bytes(32);
  const sign = (until: string) => createHmac("sha256", key).update(until).digest("base64url");

  function issueToken(request: Request): Response {
    const text = request.headers.get("x-aws-ec2-metadata-token-ttl-seconds") ?? "";
    const seconds = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    if (seconds < 1 || seconds > tokenSecondsLimit) return plain(400, "Bad Request");
    const until = String(clock.now() + seconds * 1000);
    return plain(200, `${until}.${sign(until)}`, {
      "x-aws-ec2-metadata-token-ttl-seconds": String(seconds),
    });
  }

  function isGoodToken(token: string | null): boolean {
    const [until = "", signature = ""] = (token ?? "").split(".");
    if (!/^\d{1,16}$/.test(until) || !equalInConstantTime(signature, sign(until))) return false;
    return Number(until) > clock.now();
  }

  async function roleCredentials(): Promise<Response> {
    const held = await credentials.current();
    return Response.json({
      Code: "Success",
      LastUpdated: isoSeconds(held.issuedAt),
      Type: "AWS-HMAC",
      AccessKeyId: held.accessKeyId,
      SecretAccessKey: held.secretAccessKey,
      Token: held.sessionToken,
      Expiration: isoSeconds(held.expiresAt),
    });
  }

  async function containerCredentials(request: Request): Promise<Response> {
    const given = request.headers.get("authorization") ?? "";
    if (!equalInConstantTime(given, options.containerToken)) {
      return Response.json({ code: "401", message: "not authorized" }, { status: 401 });
    }
    const held = await credentials.current();
    return Response.json({
      RoleArn: roleArn,
      AccessKeyId: held.accessKeyId,
      SecretAccessKey: held.secretAccessKey,
      Token: held.sessionToken,
      Expiration: isoSeconds(held.expiresAt),
    });
  }

  const texts: Readonly<Record<string, () => Response | Promise<Response>>> = {
    "": () => plain(200, "dynamic\nmeta-data"),
    "meta-data": () => plain(200, "iam/\ninstance-id\nplacement/"),
    "meta-data/instance-id": () => plain(200, instanceId),
    "meta-data/placement/region": () => plain(200, region),
    "meta-data/placement/availability-zone": () => plain(200, `${region}a`),
    "meta-data/iam": () => plain(200, "info\nsecurity-credentials/"),
    "meta-data/iam/info": async () =>
      Response.json({
        Code: "Success",
        LastUpdated: isoSeconds((await credentials.current()).issuedAt),
        InstanceProfileArn: roleArn.replace(":role/", ":instance-profile/"),
        InstanceProfileId: "AIPAPORTOLAN00000000",
      }),
    "meta-data/iam/security-credentials": () => plain(200, roleName),
    [`meta-data/iam/security-credentials/${roleName}`]: roleCredentials,
    "dynamic/instance-identity/document": () =>
      Response.json({ accountId: account, instanceId, region, version: "2017-09-30" }),
  };

  async function answer(request: Request, path: string): Promise<Response> {
    if (path === "/credentials" && request.method === "GET") return containerCredentials(request);
    // A proxy that passes anything on must not be a way to the credentials: IMDS refuses it too.
    if (request.headers.has("x-forwarded-for")) return plain(403, "Forbidden");
    if (path === "/latest/api/token") {
      return request.method === "PUT" ? issueToken(request) : plain(405, "Method Not Allowed");
    }
    if (request.method !== "GET") return plain(405, "Method Not Allowed");
    if (!isGoodToken(request.headers.get("x-aws-ec2-metadata-token"))) {
      return plain(401, "Unauthorized");
    }
    const found = /^\/latest(?:\/(.*?))?\/?$/.exec(path)?.[1] ?? (path === "/latest" ? "" : path);
    const text = Object.hasOwn(texts, found) ? texts[found] : undefined;
    return text === undefined ? plain(404, "Not Found") : text();
  }

  return async (request, context) => {
    context.log.endpoint = "instance-metadata";
    if (!options.isNear(context.clientAddress)) return plain(403, "Forbidden");
    try {
      return await answer(request, new URL(request.url).pathname);
    } catch (error) {
      options.reportError(error);
      return plain(503, "the role's credentials cannot be had now");
    }
  };
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, { status, headers: { "content-type": "text/plain", ...headers } });
}

/** `2026-12-01T13:05:54Z`: some SDKs take no fractions. */
function isoSeconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
