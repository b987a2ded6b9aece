"""The containers on ECS are those of compose. Only the listed differences are allowed."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecs import images
from ecs.fargate import FARGATE_MEMORY
from jobs.files.store import MIB
from jobs.settings import PREFIX, Settings
from tests.unit.ecs.templates import shipped
from worker.limits import least_memory

DOCKERFILE = Path("Dockerfile").read_text()
COMPOSE = yaml.safe_load(Path("docker-compose.yml").read_text())["services"]
SECRETS = {"REDIS_URL"}
COMPOSE_ONLY = {"PAYGRADE_ALLOW_ANYONE", "PAYGRADE_API_KEYS", "PAYGRADE_WEBHOOK_SECRETS"}
"""compose publishes its port on loopback only, and needs no keys. On ECS both are read from secrets."""
ECS_ONLY = {
    f"PAYGRADE_{name}"
    for name in (
        *("WORKER_SERVICE", "WORKER_SPOT_SERVICE", "LEAST_WORKERS", "MOST_WORKERS", "WARM", "WITHIN_SECONDS"),
        *("IDLE_SECONDS", "WAKING_WAIT_SECONDS"),
    )
}
"""Elsewhere nobody starts workers."""
NOT_IN_IMAGES = {"PAYGRADE_OTLP_ENDPOINT"}
"""The images have no OpenTelemetry."""
LOCATIONS = {
    "PAYGRADE_API_KEYS_FILE",
    "PAYGRADE_BUNDLES",
    "PAYGRADE_FILES",
    "PAYGRADE_WEBHOOK_SECRETS_FILE",
}
TASKS = {"redis": "RedisTask", "worker": "WorkerTask", "web": "WebTask"}
BUILT_SERVICES = ("worker", "web")


def task(service: str) -> dict[str, Any]:
    properties: dict[str, Any] = shipped().app["Resources"][TASKS[service]]["Properties"]
    return properties


def container(service: str) -> dict[str, Any]:
    [only] = task(service)["ContainerDefinitions"]
    assert only["Name"] == service
    found: dict[str, Any] = only
    return found


def environment(service: str, cpu: int | None = None) -> dict[str, str]:
    """The environment with these CPU units, or with the default."""

    def resolved(value: Any) -> Any:
        if "Fn::If" in value:  # the number of processes, where no setting says another
            value = value["Fn::If"][1]
        if "Ref" in value:
            return str(shipped().app["Parameters"][value["Ref"]].get("Default"))
        if "Fn::FindInMap" not in value:
            return value
        name, size, key = value["Fn::FindInMap"]
        units = cpu or shipped().app["Parameters"][size["Ref"]]["Default"]
        return shipped().app["Mappings"][name][str(units)][key]

    return {each["Name"]: resolved(each["Value"]) for each in container(service)["Environment"]}


def secrets(service: str) -> set[str]:
    return {each["Name"] for each in container(service)["Secrets"]}


def compose_environment(service: str) -> dict[str, str]:
    """The environment under compose with no variables set: ${NAME:-default} is the default.

    A setting that compose passes on has the default of the code, which is what an empty one means.
    """
    defaults = {PREFIX + name.upper(): str(field.default) for name, field in Settings.model_fields.items()}
    values = COMPOSE[service]["environment"]
    return {
        name: defaults.get(name, "")
        if name == "PAYGRADE_RETENTION_SECONDS"
        else re.sub(r"\$\{\w+:-(.*?)\}", r"\1", str(value or ""))
        for name, value in values.items()
        if not name.startswith("AWS_")
    }


def stage(name: str) -> str:
    """The parts of the Dockerfile that build an image, those of the stages before it first."""
    found = re.findall(rf"^FROM (\S+) AS {name}\n(.*?)(?=^FROM |\Z)", DOCKERFILE, re.DOTALL | re.MULTILINE)
    return "".join(stage(before) + text for before, text in found)


def instruction(name: str, stage: str) -> list[str]:
    """The list of an instruction in exec form."""
    [found] = re.findall(rf"^{name}\b.*?(\[.*?\])$", stage, re.DOTALL | re.MULTILINE)
    words: list[str] = yaml.safe_load(found)
    return words


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


def megabytes(size: str) -> int:
    size = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", size)
    return int(size[:-1]) * {"m": 1, "g": 1024}[size[-1]]


@pytest.mark.parametrize("service", BUILT_SERVICES)
def test_the_environment_is_that_of_compose(service: str) -> None:
    compose, ecs = compose_environment(service), environment(service)
    # On compose, workers that its file does not know may run beside those of the file.
    ecs_only = ECS_ONLY | ({"PAYGRADE_QUEUES"} if service == "web" else set())
    assert (set(ecs) - ecs_only) | secrets(service) == set(compose) - COMPOSE_ONLY
    for name in set(compose) - SECRETS - COMPOSE_ONLY - LOCATIONS:
        assert ecs[name] == compose[name], name


@pytest.mark.parametrize("cpu", FARGATE_MEMORY)
def test_a_larger_task_runs_more_processes(cpu: int) -> None:
    vcpus = max(1, cpu // 1024)
    assert environment("web", cpu)["PAYGRADE_WEB_PROCESSES"] == str(vcpus)
    worker = environment("worker", cpu)
    batches = 2 * vcpus if cpu >= 1024 else 1
    assert (worker["PAYGRADE_CHILDREN"], worker["PAYGRADE_BATCH_CHILDREN"]) == (str(vcpus), str(batches))


def memory_of_children(environment: dict[str, str]) -> float:
    """MiB that a worker with this environment needs at least."""
    children, batch_children = (environment[f"PAYGRADE_{name}"] for name in ("CHILDREN", "BATCH_CHILDREN"))
    assert environment["PAYGRADE_CHILD_MEMORY"] == ""
    return least_memory(Settings(children=int(children), batch_children=int(batch_children))) / MIB


@pytest.mark.parametrize("cpu", FARGATE_MEMORY)
def test_the_processes_of_a_worker_fit_into_the_smallest_task_with_its_cpu(cpu: int) -> None:
    least = shipped().app["Parameters"]["WorkerMemory"]["MinValue"]
    smallest = min(memory for memory in FARGATE_MEMORY[cpu] if memory >= least)
    assert memory_of_children(environment("worker", cpu)) <= smallest


def test_the_processes_of_a_worker_fit_into_its_container_under_compose() -> None:
    memory = megabytes(COMPOSE["worker"]["mem_limit"])
    assert memory_of_children(compose_environment("worker")) <= memory


@pytest.mark.parametrize("service", BUILT_SERVICES)
def test_every_variable_is_a_setting(service: str) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {"REDIS_URL"}
    assert set(environment(service)) | secrets(service) <= known


@pytest.mark.parametrize("service", BUILT_SERVICES)
def test_the_command_is_that_of_the_image(service: str) -> None:
    assert "command" not in COMPOSE[service]
    assert container(service)["Command"] == instruction("CMD", stage(service))


@pytest.mark.parametrize("service", BUILT_SERVICES)
def test_the_health_check_is_that_of_the_image(service: str) -> None:
    """Except that web is not killed while Redis is unavailable."""
    *_, command = [
        yaml.safe_load(found)
        for found in re.findall(r"HEALTHCHECK .*?CMD \\\n\s*(\[.*\])$", stage(service), re.MULTILINE)
    ]
    expected = [word.replace("/readyz", "/healthz") for word in command]
    assert container(service)["HealthCheck"]["Command"] == ["CMD", *expected]


def test_compose_gives_every_setting_to_a_part_that_uses_it_and_the_keys_to_web_alone() -> None:
    given = {part: set(COMPOSE[part]["environment"]) for part in BUILT_SERVICES}
    names = {PREFIX + name.upper() for name in Settings.model_fields} - {f"{PREFIX}REDIS_URL"}
    assert names - given["web"] - given["worker"] == ECS_ONLY | NOT_IN_IMAGES
    assert "PAYGRADE_API_KEYS" not in given["worker"]
    assert not any("env_file" in COMPOSE[part] for part in BUILT_SERVICES)


def test_redis_has_a_password_that_web_and_worker_send() -> None:
    password = COMPOSE["redis"]["environment"]["REDISCLI_AUTH"]
    for part in ("web", "worker"):
        assert COMPOSE[part]["environment"]["REDIS_URL"] == f"redis://:{password}@redis:6379/0"


def test_redis_runs_as_under_compose_but_writes_to_a_slower_disk() -> None:
    shell, option, command = container("redis")["Command"]
    assert (shell, option) == ("sh", "-c")
    line = str(command["Fn::Sub"])
    assert "--appendfsync everysec" in line
    line = line.replace("${RedisMaxMemory}", str(shipped().app["Parameters"]["RedisMaxMemory"]["Default"]))
    ours = (
        COMPOSE["redis"]["command"][-1]
        .replace("$$", "$")
        .replace("appendfsync always", "appendfsync everysec")
    )
    assert shlex.split(line) == shlex.split(ours)
    assert container("redis")["HealthCheck"]["Command"] == COMPOSE["redis"]["healthcheck"]["test"]
    assert container("redis")["User"] == COMPOSE["redis"]["user"]
    assert (
        container("redis")["MountPoints"][0]["ContainerPath"] == COMPOSE["redis"]["volumes"][0].split(":")[1]
    )


def test_redis_uses_the_same_image_whose_tag_no_commit_changes() -> None:
    assert container("redis")["Image"]["Fn::Sub"][0] == "${RedisRepositoryUri}:${RedisTag}${Suffix}"
    [image] = re.findall(r"^ARG VALKEY_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert COMPOSE["redis"]["image"] == image
    assert "FROM ${VALKEY_IMAGE} AS redis" in DOCKERFILE


@pytest.mark.parametrize(
    ("queues", "image"),
    [
        ("", "worker"),
        ("predictions", "predictions"),
        ("batches", "worker"),
        ("predictions,batches", "worker"),
    ],
)
def test_workers_of_predictions_alone_have_the_image_for_them(queues: str, image: str) -> None:
    repositories = {f"{each}RepositoryUri": f"r/{each.lower()}" for each in ("Worker", "Predictions")}
    parameters = {"Queues": queues, **repositories}
    assert images.uri_of_worker(parameters, "v1") == f"r/{image}:v1"
    assert images.of_tasks(parameters, "v1").keys() == {image, "web", "redis"}
    [condition, alone, others] = container("worker")["Image"]["Fn::Sub"][1]["Repository"]["Fn::If"]
    assert shipped().app["Conditions"][condition] == {"Fn::Equals": [{"Ref": "Queues"}, "predictions"]}
    assert (alone, others) == ({"Ref": "PredictionsRepositoryUri"}, {"Ref": "WorkerRepositoryUri"})


def test_an_older_template_has_one_image_for_all_workers() -> None:
    older = {"Queues": "predictions", "WorkerRepositoryUri": "r/worker", "Architecture": images.ARM}
    assert images.uri_of_worker(older, "v1") == "r/worker:v1-arm64"


@pytest.mark.parametrize("service", TASKS)
def test_memory_and_stop_timeout_are_at_least_those_of_compose(service: str) -> None:
    memory = task(service)["Memory"]
    if isinstance(memory, dict):
        memory = shipped().app["Parameters"][memory["Ref"]]["Default"]
    assert int(memory) >= megabytes(COMPOSE[service]["mem_limit"])
    assert container(service)["StopTimeout"] >= seconds(COMPOSE[service]["stop_grace_period"])


def test_the_smallest_worker_has_at_least_the_memory_of_compose() -> None:
    minimum = shipped().app["Parameters"]["WorkerMemory"]["MinValue"]
    assert minimum >= megabytes(COMPOSE["worker"]["mem_limit"])


@pytest.mark.parametrize("service", BUILT_SERVICES)
def test_the_writable_folders_and_capabilities_are_those_of_compose(service: str) -> None:
    [mount] = COMPOSE[service]["tmpfs"]
    path, _, size = mount.partition(":size=")
    parameters = container(service)["LinuxParameters"]
    [temporary] = parameters["Tmpfs"]
    room = temporary["Size"]
    if isinstance(room, dict):
        room = shipped().app["Parameters"][room["Ref"]]["Default"]
    assert (temporary["ContainerPath"], room) == (path, megabytes(size))
    assert container(service)["ReadonlyRootFilesystem"] is COMPOSE[service]["read_only"]
    assert parameters["Capabilities"]["Drop"] == COMPOSE[service]["cap_drop"]


def test_web_listens_on_the_port_of_its_container() -> None:
    [mapping] = container("web")["PortMappings"]
    assert COMPOSE["web"]["ports"][0].endswith(f":{mapping['ContainerPort']}")


def test_no_container_has_the_secrets_of_another() -> None:
    """Whoever takes over a worker finds no keys of callers, and nobody reaches Redis without its password."""
    of_web = {name for name in COMPOSE["web"]["environment"] if re.search("KEYS|SECRETS", name)}
    assert of_web == {"PAYGRADE_API_KEYS", "PAYGRADE_API_KEYS_FILE"} | {
        "PAYGRADE_WEBHOOK_SECRETS",
        "PAYGRADE_WEBHOOK_SECRETS_FILE",
    }
    assert not of_web & COMPOSE["worker"]["environment"].keys()
    assert COMPOSE["redis"]["environment"].keys() == {"REDISCLI_AUTH"}
    assert '--requirepass "$$REDISCLI_AUTH"' in COMPOSE["redis"]["command"][-1]
    assert not any("env_file" in service for service in COMPOSE.values())


def test_each_architecture_has_images_of_its_own() -> None:
    """Those that `push` makes; a task would not start with the others."""
    on_arm = shipped().app["Conditions"]["OnArm"]
    assert on_arm == {"Fn::Equals": [{"Ref": "Architecture"}, images.ARM]}
    for service in ("web", "worker", "redis"):
        properties = shipped().app["Resources"][f"{service.title()}Task"]["Properties"]
        assert properties["RuntimePlatform"]["CpuArchitecture"] == {"Ref": "Architecture"}
        suffix = container(service)["Image"]["Fn::Sub"][1]["Suffix"]
        assert suffix == {"Fn::If": ["OnArm", images.SUFFIXES[images.ARM], images.SUFFIXES[images.X86]]}
    assert set(shipped().app["Parameters"]["Architecture"]["AllowedValues"]) == set(images.OPTIONS)


def test_web_on_ecs_knows_which_jobs_its_workers_take() -> None:
    of_web, of_worker = (
        next(each for each in container(service)["Environment"] if each["Name"] == "PAYGRADE_QUEUES")
        for service in ("web", "worker")
    )
    assert of_web == of_worker == {"Name": "PAYGRADE_QUEUES", "Value": {"Ref": "Queues"}}
