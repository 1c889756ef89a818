/** Every operation of Amazon ECR that is here, by its name. */
import type { Operation } from "../../operation.ts";
import type { EcrContext } from "../service.ts";
import { BatchCheckLayerAvailability } from "./BatchCheckLayerAvailability.ts";
import { BatchDeleteImage } from "./BatchDeleteImage.ts";
import { BatchGetImage } from "./BatchGetImage.ts";
import { CompleteLayerUpload } from "./CompleteLayerUpload.ts";
import { CreateRepository } from "./CreateRepository.ts";
import { DeleteRepository } from "./DeleteRepository.ts";
import { DescribeImageReplicationStatus } from "./DescribeImageReplicationStatus.ts";
import { DescribeImages } from "./DescribeImages.ts";
import { DescribeRegistry } from "./DescribeRegistry.ts";
import { DescribeRepositories } from "./DescribeRepositories.ts";
import { GetAuthorizationToken } from "./GetAuthorizationToken.ts";
import { GetDownloadUrlForLayer } from "./GetDownloadUrlForLayer.ts";
import { InitiateLayerUpload } from "./InitiateLayerUpload.ts";
import { ListImageReferrers } from "./ListImageReferrers.ts";
import { ListImages } from "./ListImages.ts";
import { ListTagsForResource } from "./ListTagsForResource.ts";
import { PutImage } from "./PutImage.ts";
import { PutImageScanningConfiguration } from "./PutImageScanningConfiguration.ts";
import { PutImageTagMutability } from "./PutImageTagMutability.ts";
import { PutReplicationConfiguration } from "./PutReplicationConfiguration.ts";
import { TagResource } from "./TagResource.ts";
import { UntagResource } from "./UntagResource.ts";
import { UpdateImageStorageClass } from "./UpdateImageStorageClass.ts";
import { UploadLayerPart } from "./UploadLayerPart.ts";

export const operations: Readonly<Record<string, Operation<EcrContext>>> = {
  BatchCheckLayerAvailability,
  BatchDeleteImage,
  BatchGetImage,
  CompleteLayerUpload,
  CreateRepository,
  DeleteRepository,
  DescribeImageReplicationStatus,
  DescribeImages,
  DescribeRegistry,
  DescribeRepositories,
  GetAuthorizationToken,
  GetDownloadUrlForLayer,
  InitiateLayerUpload,
  ListImageReferrers,
  ListImages,
  ListTagsForResource,
  PutImage,
  PutImageScanningConfiguration,
  PutImageTagMutability,
  PutReplicationConfiguration,
  TagResource,
  UntagResource,
  UpdateImageStorageClass,
  UploadLayerPart,
};
