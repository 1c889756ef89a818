/** Where an operation of Amazon ECR does less, or more, than AWS's: for docs/reference/ecr.md. */
const unscanned = "kept and answered; nothing is scanned without a scanner";
const unsigned = "kept and answered; nothing is signed";

export const ecrDifferences: Readonly<Record<string, string>> = {
  CreateRepositoryCreationTemplate: "the encryption type is AES256; KMS is refused",
  DescribeImageScanFindings: "always ScanNotFoundException: there is no scanner",
  DescribeImageSigningStatus: "always empty: nothing is signed",
  DescribeReplicationBackfillResults:
    "never has `subImageFailureCodes`: an index and its images are one replication",
  GetLifecyclePolicyPreview: "found anew at every look: images that come later are in it",
  PutRegistryScanningConfiguration: unscanned,
  PutSigningConfiguration: unsigned,
  StartImageScan: "ValidationException: there is no scanner",

  CreatePullThroughCacheRule:
    "takes any upstream that the configuration allows, too; Amazon ECR as an upstream is refused",
  BatchGetImage:
    "every manifest is answered in its own type: `acceptedMediaTypes` converts nothing",
  UpdateImageStorageClass:
    "an image is archived and restored at once; its bytes stay where they are",
  UploadLayerPart: "parts may be of any size up to 20 MiB",
  CreateRepository: "the encryption type is AES256; KMS is refused",
  PutImageScanningConfiguration: unscanned,
};
