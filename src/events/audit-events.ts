/**
 * Changes of settings as CloudTrail tells of API calls, and lifecycle runs as it tells of what the
 * service does by itself.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html
 */
import type { ChangeRow } from "../metadata/queries/changes.ts";
import type { ChangeEvents, EventDraft } from "./change-events.ts";
import { eventTime } from "./event.ts";

/** By the kind of a document: the operations that set and delete it. */
const operations: Readonly<Record<string, readonly [set: string, deleted: string]>> = {
  "repository-policy": ["SetRepositoryPolicy", "DeleteRepositoryPolicy"],
  "registry-policy": ["PutRegistryPolicy", "DeleteRegistryPolicy"],
  "lifecycle-policy": ["PutLifecyclePolicy", "DeleteLifecyclePolicy"],
};

type Detail = Readonly<Record<string, unknown>>;

export const auditEvents: Readonly<Record<string, ChangeEvents>> = {
  repository_created: {
    types: ["AWS API Call via CloudTrail"],
    when: "A repository was created.",
    drafts: (change: ChangeRow, _detail: Detail, region: string) => [
      apiCall(change, region, "CreateRepository"),
    ],
  },
  repository_deleted: {
    types: ["AWS API Call via CloudTrail"],
    when: "A repository was deleted.",
    drafts: (change: ChangeRow, _detail: Detail, region: string) => [
      apiCall(change, region, "DeleteRepository"),
    ],
  },
  document_set: {
    types: ["AWS API Call via CloudTrail"],
    when: "A repository policy, registry policy or lifecycle policy was set.",
    drafts: (change: ChangeRow, detail: Detail, region: string) =>
      settingCall(change, detail, region, 0),
  },
  document_deleted: {
    types: ["AWS API Call via CloudTrail"],
    when: "One of them was deleted.",
    drafts: (change: ChangeRow, detail: Detail, region: string) =>
      settingCall(change, detail, region, 1),
  },
  replication_configuration_set: {
    types: ["AWS API Call via CloudTrail"],
    when: "The replication configuration was set.",
    drafts: (change: ChangeRow, _detail: Detail, region: string) => [
      apiCall(change, region, "PutReplicationConfiguration"),
    ],
  },
  lifecycle_policy_executed: {
    types: ["AWS Service Event via CloudTrail"],
    when: "A lifecycle policy was carried out.",
    drafts: (change: ChangeRow, detail: Detail, region: string): EventDraft[] => [
      {
        detailType: "AWS Service Event via CloudTrail",
        detail: {
          ...record(change, region),
          eventName: "PolicyExecutionEvent",
          eventType: "AwsServiceEvent",
          serviceEventDetails: { repositoryName: change.repository, "portolan-summary": detail },
        },
      },
    ],
  },
};

function settingCall(
  change: ChangeRow,
  detail: Detail,
  region: string,
  which: 0 | 1,
): EventDraft[] {
  const kind = String(detail.kind);
  const names = Object.hasOwn(operations, kind) ? operations[kind] : undefined;
  return names === undefined ? [] : [apiCall(change, region, names[which])];
}

function apiCall(change: ChangeRow, region: string, eventName: string): EventDraft {
  return {
    detailType: "AWS API Call via CloudTrail",
    detail: {
      ...record(change, region),
      eventName,
      eventType: "AwsApiCall",
      requestParameters: {
        registryId: change.account,
        ...(change.repository !== "" && { repositoryName: change.repository }),
      },
    },
  };
}

function record(change: ChangeRow, region: string): Detail {
  return {
    eventVersion: "1.11",
    userIdentity: { arn: change.actor },
    eventTime: eventTime(change.at),
    eventSource: "ecr.amazonaws.com",
    awsRegion: region,
    recipientAccountId: change.account,
  };
}
