/**
 * AWS's managed policies, as far as a registry has a use for them, under AWS's own ARNs: the same
 * in every account, and not to be changed.
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html
 */

export interface ManagedPolicy {
  readonly arn: string;
  readonly name: string;
  /** `/` or, for policies of services, `/service-role/` and the like. */
  readonly path: string;
  /** The unique id: AWS's own, or one of its form where AWS's is not known. */
  readonly id: string;
  readonly description: string;
  /** The default version, such as `v4`. */
  readonly versionId: string;
  /** ISO 8601; to the day where AWS's time is not known. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** JSON. */
  readonly document: string;
}

const allow = (Action: string | readonly string[], Resource: string | readonly string[] = "*") => ({
  Effect: "Allow",
  Action,
  Resource,
});

const ecr = (...names: readonly string[]) => names.map((name) => `ecr:${name}`);

const readOnlyActions = ecr(
  "GetAuthorizationToken",
  "BatchCheckLayerAvailability",
  "GetDownloadUrlForLayer",
  "GetRepositoryPolicy",
  "DescribeRepositories",
  "ListImages",
  "DescribeImages",
  "BatchGetImage",
  "GetLifecyclePolicy",
  "GetLifecyclePolicyPreview",
  "ListTagsForResource",
  "DescribeImageScanFindings",
);
const uploadActions = ecr(
  "InitiateLayerUpload",
  "UploadLayerPart",
  "CompleteLayerUpload",
  "PutImage",
);

interface Definition {
  readonly path?: string;
  readonly id: string;
  readonly description: string;
  readonly versionId: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly statements: readonly object[];
}

const definitions: Readonly<Record<string, Definition>> = {
  AdministratorAccess: {
    id: "ANPAIWMBCKSKIEE64ZLYK",
    description: "Provides full access to AWS services and resources.",
    versionId: "v1",
    createdAt: "2015-02-06T18:39:46Z",
    updatedAt: "2015-02-06T18:39:46Z",
    statements: [allow("*")],
  },
  ReadOnlyAccess: {
    id: "ANPAILL3HVNFSB6DCOWYQ",
    description: "Provides read-only access to AWS services and resources.",
    versionId: "v1",
    createdAt: "2015-02-06T18:39:48Z",
    updatedAt: "2015-02-06T18:39:48Z",
    // AWS's names the actions of every service; these are the services that are here.
    statements: [
      allow([
        ...ecr("BatchCheck*", "BatchGet*", "Describe*", "Get*", "List*"),
        "iam:Generate*",
        "iam:Get*",
        "iam:List*",
        "iam:Simulate*",
        "sts:GetAccessKeyInfo",
        "sts:GetCallerIdentity",
        "sts:GetSessionToken",
      ]),
    ],
  },
  AmazonEC2ContainerRegistryPullOnly: {
    id: "ANPAZKAPJZG4IDL5ZYKGE",
    description:
      "Provides access to pull images from Amazon Elastic Container Registry repositories.",
    versionId: "v1",
    createdAt: "2024-10-15T20:02:58Z",
    updatedAt: "2024-10-15T20:02:58Z",
    statements: [
      allow(
        ecr(
          "GetAuthorizationToken",
          "BatchGetImage",
          "GetDownloadUrlForLayer",
          "BatchImportUpstreamImage",
        ),
      ),
    ],
  },
  AmazonEC2ContainerRegistryReadOnly: {
    id: "ANPAIFYZPA37OOHVIH7KQ",
    description: "Provides read-only access to Amazon EC2 Container Registry repositories.",
    versionId: "v3",
    createdAt: "2015-12-21T17:04:15Z",
    updatedAt: "2019-12-10T20:56:00Z",
    statements: [allow(readOnlyActions)],
  },
  AmazonEC2ContainerRegistryPowerUser: {
    id: "ANPAJDNE5PIHROIBGGDDW",
    description:
      "Provides full access to Amazon EC2 Container Registry repositories, but does not allow repository deletion or policy changes.",
    versionId: "v3",
    createdAt: "2015-12-21T17:05:33Z",
    updatedAt: "2019-12-10T20:48:00Z",
    statements: [allow([...readOnlyActions, ...uploadActions])],
  },
  AmazonEC2ContainerRegistryFullAccess: {
    id: "ANPAIESRL7KD7IIVF6V4W",
    description: "Provides administrative access to Amazon ECR resources",
    versionId: "v3",
    createdAt: "2015-12-21T17:06:48Z",
    updatedAt: "2020-12-05T00:04:00Z",
    statements: [
      allow(["ecr:*", "cloudtrail:LookupEvents"]),
      {
        ...allow("iam:CreateServiceLinkedRole"),
        Condition: {
          StringEquals: { "iam:AWSServiceName": ["replication.ecr.amazonaws.com"] },
        },
      },
    ],
  },
  AWSECRPullThroughCache_ServiceRolePolicy: {
    path: "/aws-service-role/",
    id: "ANPAZKAPJZG4NCMFLFPPS",
    description:
      "Allows access to AWS Services and Resources used or managed by AWS ECR Pull Through Cache.",
    versionId: "v3",
    createdAt: "2021-11-26T21:52:34Z",
    updatedAt: "2025-03-12T20:00:00Z",
    statements: [
      {
        Sid: "ECR",
        ...allow([
          ...ecr("GetAuthorizationToken", "BatchCheckLayerAvailability", ...uploadNames()),
          ...ecr(
            "BatchGetImage",
            "BatchImportUpstreamImage",
            "GetDownloadUrlForLayer",
            "GetImageCopyStatus",
          ),
        ]),
      },
      {
        Sid: "SecretsManager",
        ...allow(
          "secretsmanager:GetSecretValue",
          "arn:aws:secretsmanager:*:*:secret:ecr-pullthroughcache/*",
        ),
        Condition: { StringEquals: { "aws:ResourceAccount": "${aws:PrincipalAccount}" } },
      },
    ],
  },
  ECRTemplateServiceRolePolicy: {
    path: "/aws-service-role/",
    id: "ANPAZKAPJZG4PCL5TBXWM",
    description: "Allows Amazon ECR to create repositories from repository creation templates.",
    versionId: "v1",
    createdAt: "2024-06-19T16:00:00Z",
    updatedAt: "2024-06-19T16:00:00Z",
    statements: [{ Sid: "CreateRepositoryWithTemplate", ...allow("ecr:CreateRepository") }],
  },
  ECRReplicationServiceRolePolicy: {
    path: "/aws-service-role/",
    id: "ANPAZKAPJZG4ILYNFLGLP",
    description: "Allows access to AWS Services and Resources used or managed by ECR Replication",
    versionId: "v1",
    createdAt: "2020-12-04T22:00:00Z",
    updatedAt: "2020-12-04T22:00:00Z",
    statements: [allow(ecr("CreateRepository", "ReplicateImage"))],
  },
  IAMFullAccess: {
    id: "ANPAI7XKCFMBPM3QQRRVQ",
    description: "Provides full access to IAM via the AWS Management Console.",
    versionId: "v2",
    createdAt: "2015-02-06T18:40:38Z",
    updatedAt: "2019-06-21T19:40:00Z",
    statements: [
      allow([
        "iam:*",
        "organizations:DescribeAccount",
        "organizations:DescribeOrganization",
        "organizations:DescribeOrganizationalUnit",
        "organizations:DescribePolicy",
        "organizations:ListChildren",
        "organizations:ListParents",
        "organizations:ListPoliciesForTarget",
        "organizations:ListRoots",
        "organizations:ListPolicies",
        "organizations:ListTargetsForPolicy",
      ]),
    ],
  },
  IAMReadOnlyAccess: {
    id: "ANPAJKSO7NDY4T57MWDSQ",
    description: "Provides read only access to IAM via the AWS Management Console.",
    versionId: "v4",
    createdAt: "2015-02-06T18:40:39Z",
    updatedAt: "2018-01-25T19:11:00Z",
    statements: [
      allow([
        "iam:GenerateCredentialReport",
        "iam:GenerateServiceLastAccessedDetails",
        "iam:Get*",
        "iam:List*",
        "iam:SimulateCustomPolicy",
        "iam:SimulatePrincipalPolicy",
      ]),
    ],
  },
  IAMUserChangePassword: {
    id: "ANPAJ4L4MM2A7QIEB56MS",
    description: "Provides the ability for an IAM user to change their own password.",
    versionId: "v2",
    createdAt: "2016-11-15T00:25:16Z",
    updatedAt: "2016-11-15T23:18:55Z",
    statements: [
      allow("iam:ChangePassword", "arn:aws:iam::*:user/${aws:username}"),
      allow("iam:GetAccountPasswordPolicy"),
    ],
  },
};

function uploadNames(): string[] {
  return uploadActions.map((action) => action.replace(/^ecr:/, ""));
}

export const managedPolicies: ReadonlyMap<string, ManagedPolicy> = new Map(
  Object.entries(definitions).map(([name, definition]) => {
    const { path = "/", statements, ...rest } = definition;
    const arn = `arn:aws:iam::aws:policy${path}${name}`;
    const document = JSON.stringify({ Version: "2012-10-17", Statement: statements }, null, 4);
    return [arn, { ...rest, arn, name, path, document }];
  }),
);
