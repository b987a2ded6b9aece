"""Why the submission services refuse a request. problems.py gives each error its HTTP status."""

from jobs.errors import JobsError
from jobs.queues.names import BATCH, PREDICTION, Kind

_NOT_SERVED = {
    BATCH.name: "no worker of this service scores files: PAYGRADE_QUEUES is predictions; post the rows to "
    "/v1/predictions, or let its operator add batches to PAYGRADE_QUEUES",
    PREDICTION.name: "no worker of this service takes predictions: PAYGRADE_QUEUES is batches; post the rows "
    "as a file to /v1/batches, or let its operator add predictions to PAYGRADE_QUEUES",
}


class QueueNotServed(JobsError):
    """No worker serves the queue of such jobs, so that they would wait for ever."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(_NOT_SERVED[kind.name])


class UnknownJob(JobsError):
    """There is no such job."""


class UnknownFile(JobsError):
    """The batch has no such file."""


class ExpiredJob(JobsError):
    """This job has expired and was removed."""


class JobConflict(JobsError):
    """The state of the job does not allow this."""


class NotFinished(JobConflict):
    """The job has not ended; try again later."""

    retry_after = 1


class UnknownUpload(UnknownJob):
    """There is no such upload, or it has expired; begin a new one."""


class NoDirectUploads(UnknownJob):
    """There are no uploads here: post the file itself to /v1/batches."""


class UploadIncomplete(JobConflict):
    """Parts of the upload have not arrived."""


class UploadUsed(JobConflict):
    """A batch has taken the file of this upload."""


class UploadDiffers(JobsError):
    """The file that arrived is not the one that was announced."""


class NotScored(JobsError):
    """The caller waited, and the job gave no scores."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class InvalidDryRun(JobsError):
    """The dry run found that the file cannot be scored."""


class FileTooLong(JobsError):
    """The file is longer than PAYGRADE_MAX_FILE allows."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the file is longer than {limit} bytes, uncompressed; send it in parts")


class FilesTooLong(JobsError):
    """The files of a batch have more bytes together than PAYGRADE_MAX_FILE allows."""

    def __init__(self, files: int, size: int, limit: int) -> None:
        super().__init__(
            f"the {files} files have {size} bytes together; at most {limit} are allowed; "
            "send them in several batches"
        )


class TooManyBodies(JobsError):
    """As many large bodies as web can hold are arriving or waiting; try again soon."""

    retry_after = 1


class UnreadableInput(JobsError):
    """The file that `input` names cannot be read."""
