"""What a Python program does with a registry, through boto3 as it is. Run by boto3.test.ts."""
import base64
import json
import os
import sys

import boto3
from botocore.exceptions import ClientError

endpoint = os.environ["PORTOLAN_ENDPOINT"]
account = os.environ["PORTOLAN_ACCOUNT"]


def client(service, **credentials):
    return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", **credentials)


def refused(code, call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return
    raise AssertionError(f"expected {code}")


ecr, iam, sts = client("ecr"), client("iam"), client("sts")
assert sts.get_caller_identity()["Account"] == account

# Repositories, their settings and pages.
for number in range(5):
    ecr.create_repository(repositoryName=f"boto/{number}", imageTagMutability="IMMUTABLE")
pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 2})
names = [repository["repositoryName"] for page in pages for repository in page["repositories"]]
assert names == [f"boto/{number}" for number in range(5)], names
try:
    ecr.create_repository(repositoryName="boto/0")
    raise AssertionError("made twice")
except ecr.exceptions.RepositoryAlreadyExistsException:
    pass

# A layer and an image through the API.
layer = b"a layer" * 1000
upload = ecr.initiate_layer_upload(repositoryName="boto/0")
ecr.upload_layer_part(
    repositoryName="boto/0",
    uploadId=upload["uploadId"],
    partFirstByte=0,
    partLastByte=len(layer) - 1,
    layerPartBlob=layer,
)
import hashlib

digest = "sha256:" + hashlib.sha256(layer).hexdigest()
ecr.complete_layer_upload(
    repositoryName="boto/0", uploadId=upload["uploadId"], layerDigests=[digest]
)
descriptor = {"digest": digest, "size": len(layer)}
manifest = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **descriptor},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", **descriptor}],
    }
)
ecr.put_image(repositoryName="boto/0", imageManifest=manifest, imageTag="1")
images = ecr.batch_get_image(repositoryName="boto/0", imageIds=[{"imageTag": "1"}])["images"]
assert images[0]["imageManifest"] == manifest
described = ecr.describe_images(repositoryName="boto/0")["imageDetails"][0]
assert described["imageTags"] == ["1"] and described["imagePushedAt"].year >= 2026
refused(
    "ImageTagAlreadyExistsException",
    ecr.put_image,
    repositoryName="boto/0",
    imageManifest=manifest + "\n",
    imageTag="1",
)

# Lifecycle preview with its waiter, policies, replication configuration.
policy = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "any",
                    "countType": "imageCountMoreThan",
                    "countNumber": 5,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)
ecr.start_lifecycle_policy_preview(repositoryName="boto/0", lifecyclePolicyText=policy)
ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName="boto/0")
ecr.put_lifecycle_policy(repositoryName="boto/0", lifecyclePolicyText=policy)
assert json.loads(ecr.get_lifecycle_policy(repositoryName="boto/0")["lifecyclePolicyText"])
ecr.put_replication_configuration(replicationConfiguration={"rules": []})
assert ecr.describe_registry()["replicationConfiguration"] == {"rules": []}
refused("RepositoryNotFoundException", ecr.list_images, repositoryName="none")

# A token opens the registry.
token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
assert base64.b64decode(token).startswith(b"AWS:")

# A role, taken by a user, may read and not write.
trust = {"Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
iam.create_role(
    RoleName="reader",
    AssumeRolePolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **trust}]}
    ),
)
iam.attach_role_policy(
    RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
)
iam.create_user(UserName="boto")
iam.put_user_policy(
    UserName="boto",
    PolicyName="assume",
    PolicyDocument=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}],
        }
    ),
)
key = iam.create_access_key(UserName="boto")["AccessKey"]
user_sts = client(
    "sts", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
)
session = user_sts.assume_role(
    RoleArn=f"arn:aws:iam::{account}:role/reader", RoleSessionName="boto3"
)["Credentials"]
reader = client(
    "ecr",
    aws_access_key_id=session["AccessKeyId"],
    aws_secret_access_key=session["SecretAccessKey"],
    aws_session_token=session["SessionToken"],
)
assert reader.describe_images(repositoryName="boto/0")["imageDetails"]
refused("AccessDeniedException", reader.create_repository, repositoryName="boto/new")

# Everything goes.
for number in range(5):
    ecr.delete_repository(repositoryName=f"boto/{number}", force=True)
print("everything was done with boto3", boto3.__version__)
sys.exit(0)
