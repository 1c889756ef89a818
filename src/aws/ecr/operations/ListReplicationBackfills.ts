/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListReplicationBackfills.html */
import type { ListReplicationBackfillsResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { listDocuments } from "../../../registry/documents.ts";
import { backfillKind } from "../../../replication/backfills.ts";
import { epochSeconds, type Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { maxResults, nextToken, optional, pageSize, registryId } from "../shapes.ts";

const backfillsPageLimit = 100;

export const ListReplicationBackfills = operation({
  input: v.object({
    registryId: optional(registryId),
    maxResults: maxResults(backfillsPageLimit),
    nextToken,
  }),
  permission: onRegistry("ListReplicationBackfills"),
  async handle(call, input): Promise<Wire<ListReplicationBackfillsResponse>> {
    const { account } = call.principal;
    const binding = ["ListReplicationBackfills", account];
    const [after = ""] = readPageToken(binding, input.nextToken) ?? [];
    const limit = input.maxResults ?? pageSize;
    const { read } = call.service.registry.metadata;
    const documents = await listDocuments(read, backfillKind, account, { after, limit: limit + 1 });
    const page = documents.slice(0, limit);
    const last = documents.length > limit ? page.at(-1)?.name : undefined;
    return {
      backfills: page.map(({ name, value }) => ({
        replicationBackfillId: name,
        destination: { ...value.destination },
        status: value.status,
        startedAt: epochSeconds(value.startedAt),
        ...(value.endedAt !== undefined && { endedAt: epochSeconds(value.endedAt) }),
      })),
      ...(last !== undefined && { nextToken: pageToken(binding, [last]) }),
    };
  },
});
