/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
import type { AssumeRoleWithWebIdentityResponse } from "@aws-sdk/client-sts";
import * as v from "valibot";
import { assumeRole } from "../../../access/identities/assume-role.ts";
import { IdentityError } from "../../../access/identities/identity-error.ts";
import { compilePolicy } from "../../../access/policy/compile-policy.ts";
import { evaluate } from "../../../access/policy/evaluate.ts";
import { parsePolicy } from "../../../access/policy/parse-policy.ts";
import { integer, text } from "../../query-operation.ts";
import { type UnsignedOperation, violationError } from "../../query-protocol.ts";
import { validate } from "../../validation.ts";
import { credentialsShape, findRole, roleSession, type StsContext } from "../operation.ts";

const input = v.object({
  ...roleSession,
  WebIdentityToken: text(4, 20_000),
  DurationSeconds: v.optional(integer(900, 43_200), "3600"),
});

const action = "sts:AssumeRoleWithWebIdentity";

export const AssumeRoleWithWebIdentity: UnsignedOperation<StsContext> = async (call, given) => {
  const validated = validate(input, given);
  if ("violation" in validated) throw violationError(validated.violation);
  const { output } = validated;
  const { identities, sessions, webIdentities } = call.service;
  const identity = await webIdentities.verify(output.WebIdentityToken);
  const found = await findRole(identities, output.RoleArn);
  const { provider, subject, audience } = identity;
  const federated = `arn:aws:iam::${found?.account}:oidc-provider/${provider}`;
  const values = new Map([
    [`${provider}:sub`, subject],
    [`${provider}:aud`, audience],
    ["sts:rolesessionname", output.RoleSessionName],
    ["aws:federatedprovider", federated],
    ["aws:securetransport", String(call.request.secure)],
    ["aws:sourceip", call.request.clientAddress],
  ]);
  const lowerCase = new Map([...values].map(([key, value]) => [key.toLowerCase(), value]));
  const verdict =
    found &&
    evaluate([compilePolicy("trust policy", parsePolicy(found.role.trustPolicy, "trust"))], {
      action,
      resource: output.RoleArn,
      caller: { kind: "identity-provider", federated },
      values: (key) => lowerCase.get(key),
    });
  // What does not exist looks the same.
  if (found === undefined || verdict?.allowed !== "itself") {
    throw new IdentityError("AccessDenied", `Not authorized to perform ${action}`);
  }
  const assumed = await assumeRole(identities, sessions, {
    ...found,
    sessionName: output.RoleSessionName,
    durationSeconds: output.DurationSeconds,
    isChained: false,
    policy: output.Policy,
    policyArns: (output.PolicyArns ?? []).map(({ arn }) => arn),
    tags: {},
    federatedProvider: federated,
  });
  call.request.log.principal = assumed.principal.arn;
  return {
    Credentials: credentialsShape(assumed.credentials),
    SubjectFromWebIdentityToken: subject,
    AssumedRoleUser: { AssumedRoleId: assumed.principal.userId, Arn: assumed.principal.arn },
    PackedPolicySize: assumed.credentials.packedPercent,
    Provider: federated,
    Audience: audience,
  } satisfies AssumeRoleWithWebIdentityResponse;
};
