/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListPullTimeUpdateExclusions.html */
import type { ListPullTimeUpdateExclusionsResponse } from "@aws-sdk/client-ecr";
import * as v from "valibot";
import { listDocuments } from "../../../registry/documents.ts";
import { pullTimeExclusionKind } from "../../../registry/pull-time-exclusions.ts";
import type { Wire } from "../../operation.ts";
import { onRegistry, operation } from "../operation.ts";
import { pageToken, readPageToken } from "../page-token.ts";
import { maxResults, nextToken, pageSize } from "../shapes.ts";

export const ListPullTimeUpdateExclusions = operation({
  input: v.object({ maxResults: maxResults(), nextToken }),
  permission: onRegistry("ListPullTimeUpdateExclusions"),
  async handle(call, input): Promise<Wire<ListPullTimeUpdateExclusionsResponse>> {
    const { account } = call.principal;
    const binding = ["ListPullTimeUpdateExclusions", account];
    const [after = ""] = readPageToken(binding, input.nextToken) ?? [];
    const limit = input.maxResults ?? pageSize;
    const { read } = call.service.registry.metadata;
    const page = { after, limit: limit + 1 };
    const documents = await listDocuments(read, pullTimeExclusionKind, account, page);
    const names = documents.slice(0, limit).map(({ name }) => name);
    const last = documents.length > limit ? names.at(-1) : undefined;
    return {
      pullTimeUpdateExclusions: names,
      ...(last !== undefined && { nextToken: pageToken(binding, [last]) }),
    };
  },
});
