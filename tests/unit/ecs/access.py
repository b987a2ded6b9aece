"""Who may reach, read and do what. Each rule yields what is wrong with a pair of templates."""

from collections.abc import Callable, Iterator

from tests.unit.ecs.templates import Templates, as_list, branches, reference

TRUSTED = {"ecs-tasks.amazonaws.com"}
# Actions that AWS lets nobody bind to a resource.
UNBOUND = {"ecr:GetAuthorizationToken", "ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition"}
SECRET_WORDS = ("PASSWORD", "KEY", "TOKEN", "SECRET", "AUTH", "REDIS_URL")


def agents_have_a_role(templates: Templates) -> Iterator[str]:
    for name, task, container in templates.containers():
        if "ExecutionRoleArn" not in task and (container.get("Secrets") or container.get("LogConfiguration")):
            yield f"{name}: nobody may read its secrets or write its logs"


def nothing_secret_is_in_the_open(templates: Templates) -> Iterator[str]:
    for name, _, container in templates.containers():
        for each in container.get("Environment", []):
            if any(word in each["Name"] for word in SECRET_WORDS):
                yield f"{name}: {each['Name']} is a secret, and stands in the task definition"
    for name, cache in templates.of("ElastiCache::ReplicationGroup"):
        if "resolve:secretsmanager" not in str(cache["AuthToken"]):
            yield f"{name}: the password is in the template"


def roles_are_assumed_by_whom_we_mean(templates: Templates) -> Iterator[str]:
    for name, role in templates.of("IAM::Role"):
        for condition_or_statement in role["AssumeRolePolicyDocument"]["Statement"]:
            for statement in branches(condition_or_statement):
                service = statement["Principal"].get("Service")
                if service and service not in TRUSTED:
                    yield f"{name}: {service} is not a service that we trust"
                if not statement.get("Condition"):
                    yield f"{name}: anybody's {service} may assume it"


def rights_are_bound(templates: Templates) -> Iterator[str]:
    for name, statement in templates.statements():
        actions = set(as_list(statement["Action"]))
        if any(action.endswith("*") for action in actions):
            yield f"{name}: {actions} is more than is needed"
        if "*" in as_list(statement["Resource"]) and "Condition" not in statement and not actions <= UNBOUND:
            yield f"{name}: {actions - UNBOUND} on everything"


def the_world_reaches_web_only(templates: Templates) -> Iterator[str]:
    for name, group in templates.of("EC2::SecurityGroup"):
        for rule in (one for each in group.get("SecurityGroupIngress", []) for one in branches(each)):
            if "CidrIp" in rule and name not in ("BalancerGroup", "WebGroup"):
                yield f"{name}: addresses get in"
            if "CidrIp" in rule and reference(rule["CidrIp"]) != "AllowCidr":
                yield f"{name}: not --allow-cidr"


def what_others_lean_on_stays(templates: Templates) -> Iterator[str]:
    for name, resource in templates.base["Resources"].items():
        if resource["Type"] == "AWS::IAM::OIDCProvider" and resource.get("DeletionPolicy") != "Retain":
            yield f"{name}: would go with this deployment, and others of the account use it"


RULES: list[Callable[[Templates], Iterator[str]]] = [
    agents_have_a_role,
    nothing_secret_is_in_the_open,
    roles_are_assumed_by_whom_we_mean,
    rights_are_bound,
    the_world_reaches_web_only,
    what_others_lean_on_stays,
]
