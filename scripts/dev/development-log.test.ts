import { expect, test } from "bun:test";
import { summaryOf } from "./development-log.ts";

const request = {
  method: "PUT",
  path: `/replication/v1/blobs/sha256:${"5f51c2e3182c".padEnd(64, "0")}?offset=***`,
  status: 200,
  durationMilliseconds: 12.345,
  endpoint: "replication-blob",
  principal: "region/us-east-1",
};

test("a request is one short line", () => {
  expect(summaryOf(JSON.stringify(request))).toBe(
    "200 PUT    /replication/v1/blobs/sha256:5f51c2e3182c 12.3 ms from us-east-1",
  );
});

test("what asks all the time is not shown", () => {
  expect(summaryOf(JSON.stringify({ ...request, endpoint: "health" }))).toBeUndefined();
});
