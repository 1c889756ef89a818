/** Where an operation of Amazon ECR does less, or more, than AWS's: for docs/reference/ecr.md. */
export const ecrDifferences: Readonly<Record<string, string>> = {
  BatchGetImage:
    "every manifest is answered in its own type: `acceptedMediaTypes` converts nothing",
  UpdateImageStorageClass:
    "an image is archived and restored at once; its bytes stay where they are",
  UploadLayerPart: "parts may be of any size up to 20 MiB",
  CreateRepository: "the encryption type is AES256; KMS is refused",
  PutImageScanningConfiguration: "kept and answered; nothing is scanned without a scanner",
};
