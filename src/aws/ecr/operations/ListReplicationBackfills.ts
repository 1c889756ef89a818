/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListReplicationBackfills.html */
import type { ListReplicationBackfillsResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { listBackfills } from "../../../replication/backfills.ts";
import type { Wire } from "../../operation.ts";
import { backfillShape } from "../backfill-shape.ts";
import { accountOf, onRegistry, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { maxResults, nextToken, optional, registryId } from "../shapes.ts";

const page = { usual: 25, limit: 50 };

export const ListReplicationBackfills = operation({
  input: v.object({
    registryId: optional(registryId),
    maxResults: maxResults(page.limit),
    nextToken,
  }),
  permission: onRegistry("ListReplicationBackfills"),
  async handle(call, input): Promise<Wire<ListReplicationBackfillsResponse>> {
    const account = accountOf(call, input);
    const binding = ["ListReplicationBackfills", account];
    const [after = ""] = readPageToken(binding, input.nextToken) ?? [];
    const limit = input.maxResults ?? page.usual;
    const { registry } = call.service;
    const found = await listBackfills(registry, account, { after, limit: limit + 1 });
    const backfills = found.slice(0, limit);
    const last = found.length > limit ? backfills.at(-1)?.id : undefined;
    return {
      registryId: account,
      backfills: backfills.map(backfillShape),
      ...(last !== undefined && { nextToken: pageToken(binding, [last]) }),
    };
  },
});
