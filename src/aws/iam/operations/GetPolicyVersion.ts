/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html */
import type { GetPolicyVersionResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { noSuchVersion } from "../../../access/identities/policy-versions.ts";
import { arn, encodedDocument, operation } from "../operation.ts";
import { permissionOnPolicy } from "../policy-arn.ts";
import { policyVersion, versionsOf } from "../policy-versions.ts";

export const GetPolicyVersion = operation({
  input: v.object({ PolicyArn: arn, VersionId: policyVersion }),
  permission: (call, { PolicyArn }) => permissionOnPolicy(call, "iam:GetPolicyVersion", PolicyArn),
  async handle(call, { PolicyArn, VersionId }): Promise<GetPolicyVersionResponse> {
    const versions = await versionsOf(call, PolicyArn);
    const found = versions.find(({ shape }) => shape.VersionId === VersionId);
    if (found === undefined) throw noSuchVersion(PolicyArn, VersionId);
    return { PolicyVersion: { Document: encodedDocument(found.document), ...found.shape } };
  },
});
