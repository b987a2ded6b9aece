"""Rules about access: networks, secrets, roles. Each rule yields the violations in a pair of templates."""

from collections.abc import Callable, Iterator

from tests.unit.ecs.templates import Templates, as_list, branches, reference

TRUSTED = {"ecs-tasks.amazonaws.com"}
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
            if any(word in each["Name"].removesuffix("_PER_KEY") for word in SECRET_WORDS):
                yield f"{name}: {each['Name']} is a secret and is written in the task definition"
    for name, cache in templates.of("ElastiCache::ReplicationGroup"):
        if "resolve:secretsmanager" not in str(cache["AuthToken"]):
            yield f"{name}: the password is written in the template"


def roles_trust_only_ecs_tasks_of_the_account(templates: Templates) -> Iterator[str]:
    for name, role in templates.of("IAM::Role"):
        for condition_or_statement in role["AssumeRolePolicyDocument"]["Statement"]:
            for statement in branches(condition_or_statement):
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


def only_web_is_reachable_from_outside(templates: Templates) -> Iterator[str]:
    for name, group in templates.of("EC2::SecurityGroup"):
        for rule in (one for each in group.get("SecurityGroupIngress", []) for one in branches(each)):
            if "CidrIp" in rule and name not in ("BalancerGroup", "WebGroup"):
                yield f"{name}: only the load balancer and web may allow addresses"
            if "CidrIp" in rule and reference(rule["CidrIp"]) != "AllowCidr":
                yield f"{name}: the addresses are not those of --allow-cidr"


def shared_resources_are_retained(templates: Templates) -> Iterator[str]:
    for name, resource in templates.base["Resources"].items():
        if resource["Type"] == "AWS::IAM::OIDCProvider" and resource.get("DeletionPolicy") != "Retain":
            yield f"{name}: would be deleted with the deployment, and others of the account use it"


RULES: list[Callable[[Templates], Iterator[str]]] = [
    tasks_have_an_execution_role,
    secrets_are_referenced,
    roles_trust_only_ecs_tasks_of_the_account,
    permissions_are_restricted,
    only_web_is_reachable_from_outside,
    shared_resources_are_retained,
]
