/** https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html */
import * as v from "valibot";
import { listSecrets } from "../../../access/secrets.ts";
import { pageToken, readPageToken } from "../../ecr/page-token.ts";
import { secretShape } from "../describe-shape.ts";
import { operation, optionalMember } from "../operation.ts";

export const ListSecrets = operation({
  input: v.object({
    MaxResults: optionalMember(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100))),
    NextToken: optionalMember(v.pipe(v.string(), v.maxLength(4096))),
    IncludePlannedDeletion: optionalMember(v.boolean()),
  }),
  permission: () => ({ action: "secretsmanager:ListSecrets", resource: "*" }),
  async handle(call, input) {
    const { account } = call.principal;
    const binding = ["ListSecrets", account];
    const [after = ""] = readPageToken(binding, input.NextToken) ?? [];
    const limit = input.MaxResults ?? 100;
    const { read } = call.service.registry.metadata;
    const found = await listSecrets(read, account, { after, limit: limit + 1 });
    const page = found.slice(0, limit);
    const last = found.length > limit ? page.at(-1)?.name : undefined;
    return {
      SecretList: page
        .filter(({ value }) => input.IncludePlannedDeletion || value.deletedAt === undefined)
        .map(({ name, value }) => secretShape(name, value, "SecretVersionsToStages")),
      ...(last !== undefined && { NextToken: pageToken(binding, [last]) }),
    };
  },
});
