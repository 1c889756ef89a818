/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
import type { AssumeRoleResponse } from "@aws-sdk/client-sts";
import * as v from "valibot";
import type { ConditionKeys, Permission } from "../../../access/access.ts";
import { assumeRole } from "../../../access/identities/assume-role.ts";
import { IdentityError } from "../../../access/identities/identity-error.ts";
import { requestTags, tagKey, tagRecord, tags, tagsLimit } from "../../iam/operation.ts";
import { integer, list, optional, text } from "../../query-operation.ts";
import {
  credentialsShape,
  findRole,
  operation,
  roleSession,
  sessionName,
  trustPermission,
} from "../operation.ts";

const input = v.object({
  ...roleSession,
  DurationSeconds: v.optional(integer(900, 43_200), "3600"),
  Tags: tags,
  TransitiveTagKeys: list(tagKey, tagsLimit),
  ExternalId: optional(text(2, 1224, /^[\w+=,.@:/-]*$/)),
  SourceIdentity: optional(sessionName),
});

export const AssumeRole = operation({
  input,
  async permission(call, input): Promise<Permission[]> {
    const found = await findRole(call.service.identities, input.RoleArn);
    const source = input.SourceIdentity;
    const conditions: ConditionKeys = {
      "sts:RoleSessionName": input.RoleSessionName,
      ...(input.ExternalId !== undefined && { "sts:ExternalId": input.ExternalId }),
      ...(source !== undefined && { "sts:SourceIdentity": source }),
      ...(input.TransitiveTagKeys !== undefined && {
        "sts:TransitiveTagKeys": input.TransitiveTagKeys,
      }),
      ...requestTags(input.Tags),
    };
    const actions = ["sts:AssumeRole"];
    if ((input.Tags ?? []).length > 0) actions.push("sts:TagSession");
    if (source !== undefined) actions.push("sts:SetSourceIdentity");
    return actions.map((action) => trustPermission(action, input.RoleArn, found, conditions));
  },
  async handle(call, input): Promise<AssumeRoleResponse> {
    const { principal } = call;
    const found = await findRole(call.service.identities, input.RoleArn);
    if (principal.kind === "root") {
      throw new IdentityError("AccessDenied", "Roles may not be assumed by root accounts.");
    }
    // It was there when the caller was allowed.
    if (found === undefined) throw new IdentityError("AccessDenied", "The role is gone.");
    const inherited = principal.session?.sourceIdentity;
    const assumed = await assumeRole(call.service.identities, call.service.sessions, {
      ...found,
      sessionName: input.RoleSessionName,
      durationSeconds: input.DurationSeconds,
      isChained: principal.kind === "assumed-role",
      policy: input.Policy,
      policyArns: (input.PolicyArns ?? []).map(({ arn }) => arn),
      tags: tagRecord(input.Tags),
      sourceIdentity: inherited ?? input.SourceIdentity,
    });
    return {
      Credentials: credentialsShape(assumed.credentials),
      AssumedRoleUser: { AssumedRoleId: assumed.principal.userId, Arn: assumed.principal.arn },
      PackedPolicySize: assumed.credentials.packedPercent,
      SourceIdentity: assumed.principal.session?.sourceIdentity,
    };
  },
});
