"""All settings, from the environment: PAYGRADE_..., and REDIS_URL. .env.example describes each of them."""

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from jobs.errors import InvalidSettings
from jobs.keeper.hours import FORMAT, WarmHours

PREFIX = "PAYGRADE_"
CLIENT_SETTINGS = {"PAYGRADE_URL", "PAYGRADE_API_KEY"}
"""Settings of the client. They may be set in the environment, and are ignored here."""

RUNNING = "running.json"
"""The file in PAYGRADE_DATA with the settings of `make run` while it runs."""

SHIPPED_BUNDLES = Path(__file__).parents[1] / "model" / "bundles"
"""The bundles that are installed with the code."""

WORKER_QUEUES = ("predictions", "batches")
"""The names that PAYGRADE_QUEUES accepts, which are those of kinds of jobs."""


def _where_keys_are_set(limit: int) -> Callable[[dict[str, Any]], int]:
    """The default of a limit for each key: 0, for no limit, where no keys are set."""
    return lambda known: limit if known["api_keys"].get_secret_value() or known["api_keys_file"] else 0


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    data: Path = Path(".data")
    files: str = ""
    bundles: str = Field(default_factory=lambda: str(SHIPPED_BUNDLES))
    default_model: str = "salary"
    children: int = Field(default_factory=lambda: max(1, (os.cpu_count() or 1) - 1), ge=1)
    batch_children: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    child_memory: int = Field(default=0, ge=0)
    queues: str = ",".join(WORKER_QUEUES)
    web_processes: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    max_body: int = Field(default=4 * 1024 * 1024, ge=1024)
    max_file: int = Field(default=100 * 1024**3, ge=1024)
    max_files_per_batch: int = Field(default=10_000, ge=1)
    max_batches: int = Field(default=10_000, ge=1)
    direct_files: bool = False
    s3_allow: str = ""
    api_keys: SecretStr = SecretStr("")
    api_keys_file: str = ""
    allowed_hosts: str = ""
    max_waiting: int = Field(default=200_000, ge=1)
    max_waiting_rows_per_key: int = Field(default_factory=_where_keys_are_set(200_000), ge=0)
    max_memory_percent: int = Field(default=70, ge=1, le=100)
    max_memory_percent_per_key: int = Field(default_factory=_where_keys_are_set(25), ge=0, le=100)
    max_open_requests_per_key: int = Field(default_factory=_where_keys_are_set(1_000), ge=0)
    max_waiting_callers: int = Field(default=5_000, ge=0)
    max_batches_per_key: int = Field(default_factory=_where_keys_are_set(50), ge=0)
    rows_per_minute: int = Field(default_factory=_where_keys_are_set(600_000), ge=0)
    retention_seconds: int = Field(default=6 * 3600, ge=60)
    lease_seconds: int = Field(default=15, ge=1)
    attempts: int = Field(default=3, ge=1)
    files_patience_seconds: int = Field(default=600, ge=0)
    allow_anyone: bool = False
    worker_service: str = ""
    worker_spot_service: str = ""
    least_workers: int = Field(default=1, ge=0)
    most_workers: int = Field(default=10, ge=1)
    warm: str = "always"
    within_seconds: int = Field(default=120, ge=1)
    idle_seconds: int = Field(default=600, ge=10)
    waking_wait_seconds: int = Field(default=25, ge=25, le=55)
    webhook_secrets: SecretStr = SecretStr("")
    webhook_secrets_file: str = ""
    webhook_hosts: str = ""
    event_queue: str = ""
    event_dead_queue: str = ""
    event_bus: str = ""
    event_topic: str = ""
    event_jobs: Literal["batches", "all"] = "batches"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    otlp_endpoint: str = ""

    @field_validator("redis_url")
    @classmethod
    def _redis_address(cls, url: SecretStr) -> SecretStr:
        address = urlsplit(url.get_secret_value())
        try:
            known = address.scheme in ("redis", "rediss") and address.hostname and address.port != 0
        except ValueError:  # its message quotes a part of the address, perhaps of the password
            known = False
        if not known:
            raise PydanticCustomError("url", "must be redis://HOST:PORT/NUMBER, or rediss:// for TLS")
        return url

    @field_validator("otlp_endpoint")
    @classmethod
    def _collector(cls, endpoint: str) -> str:
        if not endpoint or re.fullmatch(r"https?://[^\s/]+(/\S*)?", endpoint):
            return endpoint
        raise PydanticCustomError("endpoint", "must be http://HOST:PORT or https://HOST:PORT of a collector")

    @field_validator("queues")
    @classmethod
    def _known_queues(cls, queues: str) -> str:
        wanted = queues.split(",")
        if set(wanted) - set(WORKER_QUEUES) or len(set(wanted)) < len(wanted):
            raise PydanticCustomError("queues", "must be predictions, batches, or predictions,batches")
        return queues

    @field_validator("worker_service")
    @classmethod
    def _service_of_a_cluster(cls, service: str) -> str:
        if not service or re.fullmatch(r"[A-Za-z0-9_-]+/[A-Za-z0-9_-]+", service):
            return service
        raise PydanticCustomError(
            "service", "must be CLUSTER/SERVICE, the names of an ECS service and its cluster"
        )

    @field_validator("warm")
    @classmethod
    def _warm_hours(cls, warm: str) -> str:
        try:
            WarmHours(warm)
        except (KeyError, OSError, ValueError):  # zoneinfo raises each of them for some unknown zone
            raise PydanticCustomError("warm", f"must be {FORMAT}") from None
        return warm

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, hosts: str) -> str:
        if all(re.fullmatch(r"(\*\.)?[A-Za-z0-9._-]+", host.strip()) for host in hosts.split(",") if hosts):
            return hosts
        raise PydanticCustomError("hosts", "must be names of hosts, as in a.example,*.b.example")

    @field_validator("direct_files")
    @classmethod
    def _direct_to_s3(cls, direct: bool, known: ValidationInfo) -> bool:
        if direct and not known.data.get("files", "").startswith("s3://"):
            raise PydanticCustomError("direct", "needs PAYGRADE_FILES=s3://BUCKET/PREFIX")
        return direct

    @field_validator("s3_allow")
    @classmethod
    def _s3_prefixes(cls, allowed: str) -> str:
        if all(prefix.startswith("s3://") and len(prefix) > 5 for prefix in filter(None, allowed.split(","))):
            return allowed
        raise PydanticCustomError("s3", "must be s3://BUCKET/PREFIX, separated by commas")

    @property
    def served(self) -> frozenset[str]:
        """The kinds of jobs that workers take; web accepts no others."""
        return frozenset(self.queues.split(","))

    @property
    def files_location(self) -> str:
        """Where the files of batches are: a directory or an s3:// prefix."""
        return self.files or str(self.data / "files")

    @property
    def has_keys(self) -> bool:
        """Whether jobs have several owners, one for each key."""
        return bool(self.api_keys.get_secret_value() or self.api_keys_file)

    @property
    def most_connections(self) -> int:
        """The most connections of one web process."""
        return self.max_waiting_callers + 1_000

    @property
    def held_bodies(self) -> int:
        """Bytes of bodies that one web process holds at most, until they are answered."""
        return 16 * self.max_body

    @property
    def retention_ms(self) -> int:
        return self.retention_seconds * 1000


def announce(environment: Mapping[str, str], data: Path) -> None:
    """Writes the settings of `make run` to a file from which `load_settings_beside_run` reads them."""
    settings = {name: value for name, value in environment.items() if name.startswith((PREFIX, "REDIS_URL"))}
    (data / RUNNING).write_text(json.dumps(settings))


def load_settings_beside_run() -> Settings:
    """Loads the settings and, without REDIS_URL, those that `make run` has announced."""
    settings = load_settings()
    announced = settings.data / RUNNING
    if "redis_url" in settings.model_fields_set or not announced.exists():
        return settings
    os.environ.update({**json.loads(announced.read_text()), **os.environ})
    return load_settings()


def load_settings() -> Settings:
    """Raises InvalidSettings, in one line, for an unknown setting or an invalid value."""
    fields = {_variable(field): field for field in Settings.model_fields}
    known = fields.keys() | CLIENT_SETTINGS
    meant = (name for name in os.environ if name.upper().startswith(PREFIX) or name.upper() in known)
    if unknown := sorted(name for name in meant if name not in known):
        name = unknown[0]
        what_to_do = f"write {name.upper()}" if name.upper() in known else ".env.example lists them all"
        raise InvalidSettings(f"{name} is not a setting; {what_to_do}")
    given = {field: os.environ[name] for name, field in fields.items() if os.environ.get(name)}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        # A default that follows another setting has no fault of its own.
        faults = [fault for fault in error.errors() if fault["type"] != "default_factory_not_called"]
        raise InvalidSettings("; ".join(map(_sentence, faults))) from None


def _variable(field: str) -> str:
    return "REDIS_URL" if field == "redis_url" else PREFIX + field.upper()


def _sentence(fault: Any) -> str:
    return f"{_variable(str(fault['loc'][0]))}: {fault['msg']}"
