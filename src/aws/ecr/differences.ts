/** Where an operation of Amazon ECR does less, or more, than AWS's: for docs/reference/ecr.md. */
export const ecrDifferences: Readonly<Record<string, string>> = {
  CreateRepository: "the encryption type is AES256; KMS is refused",
  PutImageScanningConfiguration: "kept and answered; nothing is scanned without a scanner",
};
