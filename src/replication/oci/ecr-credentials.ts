/**
 * Amazon ECR as a registry: AWS keys get a password for twelve hours, and repositories are created
 * through the API, because a push does not create them there.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
 */
import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import * as v from "valibot";
import { ReplicationFailure } from "../failure.ts";
import { type HttpExchangePorts, httpExchange } from "../http-exchange.ts";
import type { RegistryCredentials, RegistryPassword } from "./registry.ts";
import { parseJson } from "./registry-failure.ts";

export interface EcrApi {
  /** `https://api.ecr.eu-west-1.amazonaws.com` */
  readonly endpoint: string;
  readonly region: string;
  /** The registry's account; the keys' own when it is not known. */
  readonly account: string | undefined;
  readonly keys: () => Promise<{
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string | undefined;
  }>;
}

const answerBytesLimit = 256 * 1024;
const tokenAnswer = v.object({
  authorizationData: v.pipe(
    v.array(v.object({ authorizationToken: v.string(), expiresAt: v.number() })),
    v.minLength(1),
  ),
});
const errorAnswer = v.object({ __type: v.string() });

export function ecrCredentials(api: EcrApi, ports: HttpExchangePorts): RegistryCredentials {
  const { clock, name } = ports;
  let known: { readonly password: RegistryPassword; readonly until: number } | undefined;

  async function call(operation: string, input: object, signal: AbortSignal) {
    const { accessKeyId, secretAccessKey, sessionToken } = await api.keys();
    const signer = new SignatureV4({
      service: "ecr",
      region: api.region,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) },
      sha256: Sha256,
    });
    const url = new URL(api.endpoint);
    const body = JSON.stringify(input);
    const { headers } = await signer.sign(
      {
        method: "POST",
        protocol: url.protocol,
        hostname: url.hostname,
        path: "/",
        headers: {
          host: url.host,
          "content-type": "application/x-amz-json-1.1",
          "x-amz-target": `AmazonEC2ContainerRegistry_V20150921.${operation}`,
        },
        body,
      },
      { signingDate: new Date(clock.now()) },
    );
    const answer = await httpExchange(ports, {
      url: `${url.origin}/`,
      method: "POST",
      headers,
      bytes: new Blob([body]),
      answerMilliseconds: ports.settings.answerMilliseconds,
      answerBytesLimit,
      redirect: "error",
      signal,
      onSent() {},
    });
    const json = parseJson(answer.bytes);
    const error = v.safeParse(errorAnswer, json);
    const type = error.success ? error.output.__type.replace(/^.*#|[^A-Za-z0-9]/g, "") : "";
    return { status: answer.status, json, type };
  }

  function failure(operation: string, { status, type }: { status: number; type: string }) {
    const text = `${name} answered ${status} ${type.slice(0, 100)} to ${operation}`;
    if (/Throttling|TooManyRequests/.test(type))
      return new ReplicationFailure("rate_limited", text);
    if (status >= 500) return new ReplicationFailure("destination_unreachable", text);
    return new ReplicationFailure("destination_unauthorized", text);
  }

  return {
    async password(refused, signal) {
      if (known !== undefined && !refused && clock.now() < known.until) return known.password;
      const answer = await call("GetAuthorizationToken", {}, signal);
      const parsed = v.safeParse(tokenAnswer, answer.json);
      const [data] = answer.status === 200 && parsed.success ? parsed.output.authorizationData : [];
      if (data === undefined) throw failure("GetAuthorizationToken", answer);
      const text = Buffer.from(data.authorizationToken, "base64").toString();
      const colon = text.indexOf(":");
      const password = { username: text.slice(0, colon), password: text.slice(colon + 1) };
      const now = clock.now();
      // Half of its life, as Amazon's own helper does.
      known = { password, until: now + Math.max(0, data.expiresAt * 1000 - now) / 2 };
      return password;
    },
    async createRepository(repository, signal) {
      const input = {
        repositoryName: repository,
        ...(api.account !== undefined && { registryId: api.account }),
      };
      const answer = await call("CreateRepository", input, signal);
      if (answer.status === 200 || answer.type === "RepositoryAlreadyExistsException") return;
      if (/AccessDenied/.test(answer.type)) {
        const text = `${name} does not let the keys create the repository ${repository}`;
        throw new ReplicationFailure("repository_denied", text);
      }
      throw failure("CreateRepository", answer);
    },
  };
}
