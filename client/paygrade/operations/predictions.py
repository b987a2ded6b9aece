"""Predictions: rows that are posted, and their scores."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict, Unpack, cast

from paygrade.calling.caller import Caller
from paygrade.calling.requests import IDEMPOTENCY_KEY, HttpRequest, post_json
from paygrade.errors import InvalidInput, InvalidRequest, JobFailed, JobUnfinished
from paygrade.operations.failed_rows import OnFailed, sentence_of, tell_of
from paygrade.operations.jobs import LONGEST_WAIT, wait
from paygrade.operations.service import model as model_of
from paygrade.resources import PATHS, Job, Output, Resource, Row, given
from paygrade.tables.columns import ALWAYS_THERE, columns_of_outputs
from paygrade.tables.frames import Frame, frame_of, single_row
from paygrade.values import plain_row

Inputs: TypeAlias = Row | Sequence[Row] | Any
"""A row, a list of rows, or a DataFrame of pandas or polars."""


class PredictionOptions(TypedDict, total=False):
    """What is posted with rows.

    `model` is `name`, `name@version` or `name@alias`. `explain` adds what each feature contributes.

    `metadata` is kept with the job, `webhook` is an https address that is told when it has ended, and a job
    that has not started after `cancel_after`, as in `30s`, expires. An `idempotency_key` of your own makes
    one job of all that is sent with it, also by another process.
    """

    model: str | None
    explain: bool
    metadata: Mapping[str, str] | None
    webhook: str | None
    cancel_after: str | None
    idempotency_key: str | None


async def submit(
    caller: Caller,
    inputs: Inputs,
    *,
    wait: float = 0,
    timeout: float | None = None,
    **options: Unpack[PredictionOptions],
) -> Job:
    """Posts a row, a list of rows or a DataFrame as a prediction, and returns its job.

    The job has ended if that takes at most `wait` seconds (25). A post whose answer is lost is repeated with
    its Idempotency-Key, and so is one that the service refuses for the moment: until `timeout` seconds, and
    never as a second job.
    """
    frame = frame_of(inputs)
    if frame is not None:
        served, options["model"] = await _model_of(caller, options)
        inputs = list(frame.rows(frame.features_of(served)))
    request = _post(inputs, int(min(max(wait, 0), LONGEST_WAIT)), options)
    return cast(Job, await caller.ask(request, timeout))


async def predict(
    caller: Caller,
    inputs: Inputs,
    *,
    wait: float = 60,
    on_failed: OnFailed = "warn",
    prefix: str = "",
    **options: Unpack[PredictionOptions],
) -> Any:
    """Scores a row, a list of up to 1,000 rows, or a DataFrame; longer ones are for `score`.

    A row gives its output, as in `{"prediction": 260.00012}`, a list the outputs in its order. A DataFrame
    gives a new one with the same index, rows and columns, and the columns of the scores, each after `prefix`.

    Takes at most `wait` seconds, in which the service may also start its first worker. Raises JobUnfinished
    after that: the job continues, and is in the exception. Raises JobFailed if no row was scored. Where
    single rows fail, each has its `error`, and `on_failed` says whether to `warn`, to `raise` RowsFailed, or
    to `ignore` it.
    """
    frame = frame_of(inputs)
    if frame is None:
        job = await _ended(caller, inputs, wait, options)
        outputs = outputs_of(job)
        scored = outputs if "outputs" in job else outputs[0]
    else:
        outputs, scored = await _scored_frame(caller, frame, wait, prefix, options)
    _tell(outputs, scored, on_failed)
    return scored


def outputs_of(job: Job) -> list[Output]:
    """One output per row; none for a batch, or before the job has ended."""
    if "outputs" in job:
        return list(job["outputs"])
    output = job.get("output")
    return [output] if output else []


async def _scored_frame(
    caller: Caller, frame: Frame, wait: float, prefix: str, options: PredictionOptions
) -> tuple[list[Output], Any]:
    """The outputs of its rows, and the table that has them."""
    frame.check_free(prefix + name for name in ALWAYS_THERE)
    served, options["model"] = await _model_of(caller, options)
    rows = list(frame.rows(frame.features_of(served)))
    try:
        outputs = outputs_of(await _ended(caller, rows, wait, options)) if rows else []
    except InvalidRequest as error:
        error.add_note("`score` takes a table of any length, and a faulty row of it fails alone.")
        raise
    columns = columns_of_outputs(outputs, served["scores"])
    return outputs, frame.with_columns({prefix + name: column for name, column in columns.items()})


async def _model_of(caller: Caller, options: PredictionOptions) -> tuple[Any, str]:
    """The model, and the version of it that is there now: the rows that are sent have its features."""
    served = await model_of(caller, options.get("model"))
    return served, f"{served['name']}@{served['version']}"


async def _ended(caller: Caller, inputs: Inputs, seconds: float, options: PredictionOptions) -> Job:
    until = caller.now() + seconds
    held = int(min(max(seconds, 0), LONGEST_WAIT))
    job = cast(Job, await caller.ask(_post(inputs, held, options), seconds))
    if not job["finished_at"]:
        left = until - caller.now()
        if left <= 0:
            raise JobUnfinished(job)
        job = await wait(caller, job, left)
    if job["status"] not in ("succeeded", "partially_succeeded"):
        raise JobFailed(job)
    return job


def _post(inputs: Inputs, held: int, options: PredictionOptions) -> HttpRequest:
    """A post may be held for so many seconds, for the scores."""
    body: Resource = {"inputs": _plain(inputs)}
    body |= given(model=options.get("model"), explain=options.get("explain") or None)
    body |= given(metadata=options.get("metadata"), webhook=options.get("webhook"))
    headers = {"Cancel-After": options.get("cancel_after"), IDEMPOTENCY_KEY: options.get("idempotency_key")}
    named = {name: value for name, value in headers.items() if value is not None}
    return post_json(PATHS["prediction"], body, named, held)


def _plain(inputs: Inputs) -> Any:
    row = single_row(inputs)
    if row is not None:
        return plain_row(row)
    if not isinstance(inputs, Sequence) or isinstance(inputs, str | bytes):
        raise InvalidInput(
            "inputs must be a row (a mapping), a list of rows, or a DataFrame of pandas or polars, "
            f"not {type(inputs).__name__}"
        )
    return [plain_row(each) if isinstance(each, Mapping) else each for each in inputs]


def _tell(outputs: Sequence[Output], scored: Any, on_failed: OnFailed) -> None:
    failed = [(row, output["error"]["detail"]) for row, output in enumerate(outputs) if "error" in output]
    first = sentence_of(*failed[0]) if failed else ""
    tell_of(len(failed), len(outputs), first, scored, on_failed)
