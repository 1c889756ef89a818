/** Members that inputs of Amazon ECR's operations share. */
import * as v from "valibot";
import { parseDigest } from "../../image/digest.ts";
import { isRepositoryName } from "../../image/reference.ts";
import { lifecyclePolicyLengthLimits } from "../../registry/lifecycle/read-policy.ts";

/** A member that may be left out. AWS takes `null` for the same. */
export function optional<Schema extends v.GenericSchema>(schema: Schema) {
  return v.nullish(schema, () => undefined);
}

export const registryId = v.pipe(v.string(), v.regex(/^[0-9]{12}$/));

/** ECR's own text; the rule is that of the OCI specification. */
export const repositoryName = v.pipe(
  v.string(),
  v.maxLength(256),
  v.check(
    isRepositoryName,
    "must satisfy regular expression '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*'",
  ),
);

export const imageDigest = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const digest = parseDigest(dataset.value);
    if (digest !== undefined) return digest;
    addIssue({ message: "must be a sha256 or sha512 digest" });
    return NEVER;
  }),
);

export const imageIdentifier = v.object({
  imageDigest: optional(imageDigest),
  imageTag: optional(v.pipe(v.string(), v.minLength(1), v.maxLength(300))),
});

/** How many are on a page, when the client does not say. */
export const pageSize = 100;
/** Most on a page. */
export const pageSizeLimit = 1000;

export function maxResults(limit = pageSizeLimit) {
  return optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(limit)));
}

export const nextToken = optional(v.pipe(v.string(), v.maxLength(4096)));

export const repositoryTarget = {
  registryId: optional(registryId),
  repositoryName: v.pipe(v.string(), v.minLength(2), repositoryName),
};

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Tag.html */
export const resourceTags = v.pipe(
  v.array(v.object({ Key: v.string(), Value: v.optional(v.string(), "") })),
  v.maxLength(200),
);

export const tagMutability = v.picklist([
  "MUTABLE",
  "IMMUTABLE",
  "IMMUTABLE_WITH_EXCLUSION",
  "MUTABLE_WITH_EXCLUSION",
]);

export const exclusionFilters = v.pipe(
  v.array(
    v.object({
      filterType: v.picklist(["WILDCARD"]),
      filter: v.pipe(v.string(), v.regex(/^[0-9a-zA-Z._*-]{1,128}$/)),
    }),
  ),
  v.minLength(1),
  v.maxLength(5),
);

/** Only what this registry does: its own encryption is the disk's. */
export const encryptionConfiguration = v.object({
  encryptionType: v.picklist(["AES256"]),
  kmsKey: optional(
    v.pipe(
      v.string(),
      v.check(() => false, "A KMS key cannot be used with the encryption type AES256"),
    ),
  ),
});

export const imageScanningConfiguration = v.object({ scanOnPush: v.optional(v.boolean(), false) });

export const layerDigests = v.pipe(
  v.array(v.pipe(v.string(), v.maxLength(1000))),
  v.minLength(1),
  v.maxLength(100),
);

export const uploadId = v.pipe(
  v.string(),
  v.regex(/^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/),
);

export const accountSettingName = v.picklist([
  "BASIC_SCAN_TYPE_VERSION",
  "REGISTRY_POLICY_SCOPE",
  "BLOB_MOUNTING",
]);

/** A user or a role: nothing else has pulls of its own. */
export const exclusionPrincipalArn = v.pipe(
  v.string(),
  v.maxLength(200),
  v.regex(/^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)\/[\w+=,.@/-]+$/),
);

export const lifecyclePolicyText = v.pipe(
  v.string(),
  v.minLength(lifecyclePolicyLengthLimits.least),
  v.maxLength(lifecyclePolicyLengthLimits.most),
);

export const replicationDestination = v.object({
  region: v.pipe(v.string(), v.regex(/^[0-9a-z-]{2,25}$/)),
  registryId,
});

export const backfillId = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
);
