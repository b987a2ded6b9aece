"""Rules about access: networks, secrets, roles. Each rule yields the violations in a pair of templates."""

import json
from collections.abc import Callable, Iterator

from tests.unit.ecs.templates import Properties, Templates, as_list, branches, reference

TRUSTED = {"ecs-tasks.amazonaws.com", "scheduler.amazonaws.com", "vpc-flow-logs.amazonaws.com"}
# Actions that AWS does not allow to be restricted to a resource.
UNRESTRICTED = {"ecr:GetAuthorizationToken", "ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition"}
SECRET_WORDS = ("PASSWORD", "KEY", "TOKEN", "SECRET", "AUTH", "REDIS_URL")


def tasks_have_an_execution_role(templates: Templates) -> Iterator[str]:
    for name, task, container in templates.containers():
        if "ExecutionRoleArn" not in task and (container.get("Secrets") or container.get("LogConfiguration")):
            yield f"{name}: without an execution role, ECS cannot read its secrets or write its logs"


def secrets_are_referenced(templates: Templates) -> Iterator[str]:
    for name, _, container in templates.containers():
        for each in container.get("Environment", []):
            name_alone = each["Name"].removesuffix("_PER_KEY")
            if any(word in name_alone for word in SECRET_WORDS) and not is_arn_of_a_secret(each):
                yield f"{name}: {each['Name']} is a secret and is written in the task definition"
    for name, cache in templates.of("ElastiCache::ReplicationGroup"):
        if "resolve:secretsmanager" not in str(cache["AuthToken"]):
            yield f"{name}: the password is written in the template"


def is_arn_of_a_secret(variable: Properties) -> bool:
    """A variable that says where secrets are, and does not contain them."""
    return variable["Name"].endswith("_FILE") and reference(variable["Value"]).endswith("Arn")


def every_task_starts_with_rights_of_its_own(templates: Templates) -> Iterator[str]:
    roles = [task["ExecutionRoleArn"] for _, task, _ in templates.containers() if "ExecutionRoleArn" in task]
    if len({str(role) for role in roles}) < len(roles):
        yield "two tasks share an execution role, and with it what each may read"
    for name, role in templates.of("IAM::Role"):
        for arns in branches(role.get("ManagedPolicyArns", [])):
            if arns != ([{"Ref": "EventsPolicyArn"}] if name == "WebRole" else []):
                yield f"{name}: a managed policy allows more than the task needs"


def roles_have_the_boundary_and_the_path(templates: Templates) -> Iterator[str]:
    for name, role in templates.of("IAM::Role"):
        if {"Ref": "PermissionsBoundary"} not in branches(role.get("PermissionsBoundary", {})):
            yield f"{name}: lacks the permissions boundary"
        if role.get("Path") != {"Ref": "RolePath"}:
            yield f"{name}: is not under the path of roles"


def ci_reaches_only_its_deployment(templates: Templates) -> Iterator[str]:
    """A deployment NAME-x must be out of reach of the role of the deployment NAME."""
    for name, statement in templates.statements():
        for resource in as_list(statement["Resource"]):
            text = str(resource.get("Fn::Sub", "")) if isinstance(resource, dict) else ""
            if "/${Name}-*" in text:
                yield f"{name}: {text} also means resources of another deployment"
        if "ecs:RunTask" in as_list(statement["Action"]) and "ecs:cluster" not in str(
            statement.get("Condition")
        ):
            yield f"{name}: could run tasks in any cluster"


def trust_of(role: Properties) -> Properties:
    """That of CI is a text, since the names of its conditions begin with a parameter."""
    trust: Properties = role["AssumeRolePolicyDocument"]
    return dict(json.loads(trust["Fn::Sub"][0])) if "Fn::Sub" in trust else trust


def ci_is_one_project_of_one_issuer(templates: Templates) -> Iterator[str]:
    """A pattern, or another audience, would admit other projects."""
    [(_, role)] = [(name, role) for name, role in templates.of("IAM::Role") if name == "DeployRole"]
    [statement] = trust_of(role)["Statement"]
    if statement["Condition"] != {
        "StringEquals": {"${CiIssuer}:aud": "${CiAudience}", "${CiIssuer}:sub": "${CiSubject}"}
    }:
        yield f"DeployRole: {statement['Condition']} admits more than one project"


def roles_trust_only_ecs_tasks_of_the_account(templates: Templates) -> Iterator[str]:
    for name, role in templates.of("IAM::Role"):
        for statement in trust_of(role)["Statement"]:
            service = statement["Principal"].get("Service")
            if service and service not in TRUSTED:
                yield f"{name}: {service} must not assume it"
            if not statement.get("Condition"):
                yield f"{name}: without a condition, {service} of any account could assume it"


def permissions_are_restricted(templates: Templates) -> Iterator[str]:
    for name, statement in templates.statements():
        actions = set(as_list(statement["Action"]))
        if any(action.endswith("*") for action in actions):
            yield f"{name}: {actions} contains a wildcard"
        if (
            "*" in as_list(statement["Resource"])
            and "Condition" not in statement
            and not actions <= UNRESTRICTED
        ):
            yield f"{name}: {actions - UNRESTRICTED} is allowed on every resource"


def web_sets_only_how_many_workers_there_are(templates: Templates) -> Iterator[str]:
    """With UpdateService it could otherwise run any task, with a shell, in any service."""
    workers = {f"{SERVICE_ARN}/{name}" for name in ("worker", "worker-spot")}
    for name, statement in templates.statements():
        actions = {action for action in as_list(statement["Action"]) if action.startswith("ecs:")}
        if name == "DeployRole" or not actions:
            continue
        if name != "WebRole" or not actions <= {"ecs:DescribeServices", "ecs:UpdateService"}:
            yield f"{name}: must not be allowed {actions}"
        if {each.get("Fn::Sub") for each in as_list(statement["Resource"])} != workers:
            yield f"{name}: {actions} is allowed on more than the services of the workers"
        if "ecs:UpdateService" in actions and statement.get("Condition") != ONLY_COUNTS:
            yield f"{name}: could give the workers another task definition, or a shell"


def only_web_is_reachable_from_outside(templates: Templates) -> Iterator[str]:
    lists = ({"Ref": "CallersList"}, {"Ref": "CallersList6"})
    for name, group in templates.of("EC2::SecurityGroup"):
        ingress = [
            rules for rules in branches(group.get("SecurityGroupIngress", [])) for rules in as_list(rules)
        ]
        for rule in (one for each in ingress for one in branches(each)):
            if name not in ("BalancerGroup", "WebGroup"):
                yield f"{name}: only the load balancer and web may allow addresses"
            if rule.get("SourcePrefixListId") not in lists:
                yield f"{name}: the addresses are not those of --allow-cidr"
    for name, rule in templates.of("EC2::SecurityGroupIngress"):
        if "SourceSecurityGroupId" not in rule:
            yield f"{name}: a rule between two groups must not allow addresses"


def groups_reach_only_what_they_need(templates: Templates) -> Iterator[str]:
    """Only web may reach any port, since webhooks choose theirs."""
    for name, group in templates.of("EC2::SecurityGroup"):
        rules = [one for each in group.get("SecurityGroupEgress", []) for one in branches(each)]
        if not rules:
            yield f"{name}: without rules, everything is allowed"
        for rule in rules:
            to_all = rule.get("CidrIp") == "0.0.0.0/0"
            if rule["IpProtocol"] == "-1" or (to_all and name != "WebGroup" and rule["ToPort"] != 443):
                yield f"{name}: reaches more than HTTPS outside of the VPC"


def shared_resources_are_retained(templates: Templates) -> Iterator[str]:
    for name, resource in templates.base["Resources"].items():
        if resource["Type"] == "AWS::IAM::OIDCProvider" and resource.get("DeletionPolicy") != "Retain":
            yield f"{name}: would be deleted with the deployment, and others of the account use it"


def queues_take_messages_of_the_deployment_only(templates: Templates) -> Iterator[str]:
    policies = [policy for _, policy in templates.of("SQS::QueuePolicy")]
    for name, _ in templates.of("SQS::Queue"):
        own = [policy for policy in policies if policy["Queues"] == [{"Ref": name}]]
        statements = [each for policy in own for each in policy["PolicyDocument"]["Statement"]]
        if not any(each["Effect"] == "Deny" and each.get("Condition") == WITHOUT_TLS for each in statements):
            yield f"{name}: takes calls without TLS"
        for each in statements:
            rule = {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": "NewFiles.Arn"}}}
            if each["Effect"] == "Allow" and each.get("Condition") != rule:
                yield f"{name}: takes messages of rules of others"


def events_reach_nothing_but_the_deployment(templates: Templates) -> Iterator[str]:
    """Neither web nor Scheduler may send to, read from or tell anything else."""
    own = {*templates.events["Resources"]}
    for name, statement in templates.statements():
        if name not in own:
            continue
        for resource in as_list(statement["Resource"]):
            target = (
                str(resource.get("Ref") or resource.get("Fn::GetAtt", ""))
                if isinstance(resource, dict)
                else ""
            )
            if target.partition(".")[0] not in own:
                yield f"{name}: {resource} is not a resource of the events"


WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}
SERVICE_ARN = "arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:service/${Name}"
ONLY_COUNTS = {
    "Null": {"ecs:task-definition": "true"},
    "StringNotEqualsIfExists": {"ecs:enable-execute-command": "true"},
}
RULES: list[Callable[[Templates], Iterator[str]]] = [
    tasks_have_an_execution_role,
    every_task_starts_with_rights_of_its_own,
    roles_have_the_boundary_and_the_path,
    ci_reaches_only_its_deployment,
    secrets_are_referenced,
    roles_trust_only_ecs_tasks_of_the_account,
    ci_is_one_project_of_one_issuer,
    permissions_are_restricted,
    web_sets_only_how_many_workers_there_are,
    only_web_is_reachable_from_outside,
    groups_reach_only_what_they_need,
    shared_resources_are_retained,
    queues_take_messages_of_the_deployment_only,
    events_reach_nothing_but_the_deployment,
]
