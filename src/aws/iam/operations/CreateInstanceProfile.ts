/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html */
import type { CreateInstanceProfileResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { createInstanceProfile } from "../../../access/identities/create-instance-profile.ts";
import {
  instanceProfileName,
  operation,
  path,
  requestTags,
  tagRecord,
  tags,
  target,
} from "../operation.ts";
import { instanceProfileShape } from "../shapes.ts";

export const CreateInstanceProfile = operation({
  input: v.object({ InstanceProfileName: instanceProfileName, Path: path, Tags: tags }),
  permission: (call, { InstanceProfileName, Path, Tags }) => ({
    action: "iam:CreateInstanceProfile",
    resource: `arn:aws:iam::${call.principal.account}:instance-profile${Path}${InstanceProfileName}`,
    conditions: requestTags(Tags),
  }),
  async handle(call, input): Promise<CreateInstanceProfileResponse> {
    const profile = await createInstanceProfile(call.service.identities, {
      ...target(call, input.InstanceProfileName),
      path: input.Path,
      tags: tagRecord(input.Tags),
    });
    return { InstanceProfile: instanceProfileShape(call.principal.account, profile, []) };
  },
});
