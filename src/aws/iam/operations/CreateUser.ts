/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html */
import type { CreateUserResponse } from "@aws-sdk/client-iam";
import * as v from "valibot";
import { createUser } from "../../../access/identities/create-user.ts";
import { optional } from "../../query-operation.ts";
import {
  arn,
  operation,
  path,
  requestTags,
  tagRecord,
  tags,
  target,
  userName,
} from "../operation.ts";
import { userShape } from "../shapes.ts";

export const CreateUser = operation({
  input: v.object({
    UserName: userName,
    Path: path,
    PermissionsBoundary: optional(arn),
    Tags: tags,
  }),
  async permission(call, input) {
    const resource = `arn:aws:iam::${call.principal.account}:user${input.Path}${input.UserName}`;
    const boundary = input.PermissionsBoundary;
    const conditions = {
      ...requestTags(input.Tags),
      ...(boundary !== undefined && { "iam:PermissionsBoundary": boundary }),
    };
    return { action: "iam:CreateUser", resource, conditions };
  },
  async handle(call, input): Promise<CreateUserResponse> {
    const user = await createUser(call.service.identities, {
      ...target(call, input.UserName),
      path: input.Path,
      tags: tagRecord(input.Tags),
      boundary: input.PermissionsBoundary,
    });
    return { User: userShape(call.principal.account, user) };
  },
});
