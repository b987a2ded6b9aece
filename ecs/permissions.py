"""The IAM actions that `up`, `update` and `down` take, and those that the caller lacks."""

import re
from collections.abc import Iterator

from botocore.exceptions import ClientError

from ecs.aws import Aws, code_of
from ecs.template import ParameterizedTemplate

# CloudFormation acts with the permissions of its caller.
_ALWAYS = {
    "cloudformation": "ContinueUpdateRollback CreateChangeSet DeleteChangeSet DeleteStack DescribeChangeSet "
    "DescribeEvents DescribeStackEvents DescribeStackResource DescribeStacks ExecuteChangeSet "
    "GetTemplate ListChangeSets ListStackResources",
    "cloudwatch": "DeleteAlarms DeleteDashboards DescribeAlarms DisableAlarmActions EnableAlarmActions "
    "GetDashboard GetMetricData ListTagsForResource PutDashboard PutMetricAlarm TagResource",
    "ec2": "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateManagedPrefixList "
    "CreateSecurityGroup CreateTags DeleteManagedPrefixList DeleteSecurityGroup DescribeAvailabilityZones "
    "DescribeInstances DescribeManagedPrefixLists DescribeNetworkInterfaces DescribeRegions "
    "DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets "
    "DescribeVpcAttribute DescribeVpcEndpoints DescribeVpcs GetManagedPrefixListEntries "
    "ModifyManagedPrefixList RevokeSecurityGroupEgress RevokeSecurityGroupIngress",
    "ecr": "BatchCheckLayerAvailability BatchGetImage CompleteLayerUpload CreateRepository DeleteRepository "
    "DescribeImages DescribeRepositories GetAuthorizationToken InitiateLayerUpload PutImage "
    "PutLifecyclePolicy TagResource UploadLayerPart",
    "ecs": "CreateCluster CreateService DeleteCluster DeleteService DeregisterTaskDefinition "
    "DescribeClusters DescribeServiceDeployments DescribeServices DescribeTaskDefinition DescribeTasks "
    "ListServiceDeployments ListTagsForResource ListTasks RegisterTaskDefinition RunTask "
    "StopServiceDeployment StopTask TagResource UpdateService",
    "iam": "AttachRolePolicy CreateRole CreateServiceLinkedRole DeleteRole DeleteRolePolicy DetachRolePolicy "
    "GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies PassRole PutRolePolicy TagRole "
    "UpdateAssumeRolePolicy",
    "logs": "CreateLogGroup DeleteLogGroup DescribeLogGroups FilterLogEvents ListTagsForResource "
    "PutRetentionPolicy TagResource",
    "s3": "CreateBucket DeleteBucket DeleteBucketPolicy DeleteObject DeleteObjectVersion GetBucketPolicy "
    "ListBucket ListBucketVersions PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock "
    "PutEncryptionConfiguration PutLifecycleConfiguration",
    "secretsmanager": "CreateSecret DeleteSecret DescribeSecret GetRandomPassword GetSecretValue "
    "PutSecretValue TagResource UpdateSecret",
}
_OWN_VPC = {
    "ec2": "AssociateRouteTable AssociateVpcCidrBlock AttachInternetGateway CreateInternetGateway "
    "CreateRoute CreateRouteTable CreateSubnet CreateVpc CreateVpcEndpoint DeleteInternetGateway DeleteRoute "
    "DeleteRouteTable DeleteSubnet DeleteVpc DeleteVpcEndpoints DescribeInternetGateways "
    "DetachInternetGateway DisassociateRouteTable DisassociateVpcCidrBlock ModifySubnetAttribute "
    "ModifyVpcAttribute ReplaceRouteTableAssociation",
}
_REDIS_ON_ECS = {
    "elasticfilesystem": "CreateAccessPoint CreateFileSystem CreateMountTarget DeleteAccessPoint "
    "DeleteFileSystem DeleteMountTarget DescribeAccessPoints DescribeBackupPolicy DescribeFileSystems "
    "DescribeMountTargets PutBackupPolicy TagResource",
    "route53": "CreateHostedZone GetHostedZone ListHostedZonesByName",
    "servicediscovery": "CreatePrivateDnsNamespace CreateService DeleteNamespace DeleteService GetNamespace "
    "GetOperation GetService ListServices ListTagsForResource TagResource",
}
_REDIS_ON_ELASTICACHE = {
    "elasticache": "AddTagsToResource CreateCacheParameterGroup CreateCacheSubnetGroup "
    "CreateReplicationGroup DeleteCacheParameterGroup DeleteCacheSubnetGroup DeleteReplicationGroup "
    "DescribeCacheParameterGroups DescribeCacheSubnetGroups DescribeReplicationGroups ListTagsForResource "
    "ModifyCacheParameterGroup ModifyReplicationGroup",
}
_TARGETS = {
    "elasticloadbalancing": "AddTags CreateTargetGroup DeleteTargetGroup DescribeListeners "
    "DescribeLoadBalancers DescribeTags DescribeTargetGroups DescribeTargetHealth "
    "ModifyTargetGroupAttributes RegisterTargets",
}
_LOAD_BALANCER = {
    "elasticloadbalancing": "CreateListener CreateLoadBalancer DeleteListener DeleteLoadBalancer "
    "ModifyListener ModifyLoadBalancerAttributes SetIpAddressType SetSecurityGroups SetSubnets",
}
_LISTENER = {"elasticloadbalancing": "CreateRule DeleteRule DescribeRules ModifyRule SetRulePriorities"}
_API = {
    "apigateway": "DELETE GET PATCH POST PUT TagResource",
    "route53": _REDIS_ON_ECS["route53"],
    "servicediscovery": _REDIS_ON_ECS["servicediscovery"],
}
_PAGE_UPLOADS = {"s3": "PutBucketCORS"}
_FRONTS = {
    "alb": (_TARGETS, _LOAD_BALANCER),
    "api": (_API,),
    "listener": (_TARGETS, _LISTENER),
    "none": (),
}
_EMAIL = {
    "sns": "CreateTopic DeleteTopic GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource "
    "SetTopicAttributes Subscribe TagResource Unsubscribe",
}
_BUDGET = {
    "billing": "GetBillingViewData",
    "budgets": "ListTagsForResource ModifyBudget TagResource ViewBudget",
}
_CI = {
    "iam": "CreateOpenIDConnectProvider GetOpenIDConnectProvider ListOpenIDConnectProviders "
    "TagOpenIDConnectProvider",
}
_PRODUCTION = {
    "cloudformation": "UpdateTerminationProtection",
    "ec2": "CreateFlowLogs DeleteFlowLogs DescribeFlowLogs DescribeTags",
    "kms": "CreateGrant CreateKey Decrypt DescribeKey DisableKey EnableKeyRotation GenerateDataKey "
    "GetKeyPolicy GetKeyRotationStatus ListResourceTags PutKeyPolicy ScheduleKeyDeletion TagResource",
    "logs": "AssociateKmsKey CreateLogDelivery DeleteLogDelivery DisassociateKmsKey GetLogDelivery "
    "ListLogDeliveries UpdateLogDelivery",
}
_EVENTS = {
    "events": "CreateEventBus DeleteEventBus DeleteRule DescribeEventBus DescribeRule ListTagsForResource "
    "ListTargetsByRule PutRule PutTargets RemoveTargets TagResource UpdateEventBus",
    "iam": "CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion "
    "ListEntitiesForPolicy ListPolicyVersions TagPolicy",
    "s3": "GetBucketNotification PutBucketNotification",
    "scheduler": "CreateSchedule CreateScheduleGroup DeleteSchedule DeleteScheduleGroup GetSchedule "
    "GetScheduleGroup ListSchedules ListTagsForResource TagResource UpdateSchedule",
    "sns": "CreateTopic DeleteTopic GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource "
    "SetTopicAttributes Subscribe TagResource Unsubscribe",
    "sqs": "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes TagQueue",
}
_BOUNDARY = {"iam": "DeleteRolePermissionsBoundary PutRolePermissionsBoundary"}
_SESSION = re.compile(r"arn:([\w-]+):sts::(\d+):assumed-role/([^/]+)/.+")


def required_actions(
    base: ParameterizedTemplate, app: ParameterizedTemplate, events: bool = False
) -> set[str]:
    """The actions for a deployment with these parameters."""
    groups = [
        _ALWAYS,
        _REDIS_ON_ECS if app.parameter("Redis") == "ecs" else _REDIS_ON_ELASTICACHE,
        {} if base.parameter("ExistingVpc") else _OWN_VPC,
        *_FRONTS[app.parameter("Front")],
        _PAGE_UPLOADS if app.parameter("Front") == "api" or app.parameter("DirectFiles") == "true" else {},
        _EMAIL if base.parameter("AlarmEmail") else {},
        _BUDGET if float(base.parameter("Budget")) else {},
        _PRODUCTION if app.parameter("Production") == "yes" else {},
        _EVENTS if events else {},
        _BOUNDARY if base.parameter("PermissionsBoundary") else {},
        _CI if base.parameter("CiIssuer") else {},
    ]
    return {
        f"{service}:{name}" for group in groups for service, names in group.items() for name in names.split()
    }


def denied(aws: Aws, arn: str, actions: set[str]) -> Iterator[str]:
    """Yields one message with all actions that the identity lacks, or nothing."""
    if arn.endswith(":root"):
        return
    pages = (
        aws.client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(PolicySourceArn=_principal(arn), ActionNames=sorted(actions))
    )
    lacking = [
        each["EvalActionName"]
        for page in pages
        for each in page["EvaluationResults"]
        if each["EvalDecision"] != "allowed"
    ]
    if lacking:
        yield f"not allowed, or not on every resource: {', '.join(lacking)}"


def _principal(arn: str) -> str:
    """The role behind an assumed-role session, since policies are attached to the role."""
    session = _SESSION.fullmatch(arn)
    return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else arn


def missing_service_linked_role(aws: Aws) -> Iterator[str]:
    """The first cluster of an account creates this role, and can fail because the role is not usable yet."""
    try:
        aws.client("iam").get_role(RoleName="AWSServiceRoleForECS")
    except ClientError as error:
        if code_of(error) != "NoSuchEntity":
            raise
        yield (
            "the account has no service-linked role of ECS; the first up creates it and may have to be "
            "repeated, unless you create the role now: "
            "aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com"
        )
