"""What can go wrong between web, Redis and workers. Nothing here knows HTTP."""


class JobsError(Exception):
    """The base class of these errors. The docstring of a subclass is its default message."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class InvalidSettings(JobsError):
    """The settings in the environment cannot be used."""


class StoreUnavailable(JobsError):
    """Redis does not answer. As far as we know the request was not accepted; repeat it."""


class StoreRefuses(StoreUnavailable):
    """Redis answers that it cannot work, so the request was certainly not accepted; repeat it."""


class TooManyCalls(StoreRefuses):
    """This process has too many calls under way; try again."""


class UnknownRecord(JobsError):
    """This release cannot read the job's record; deploy workers and web of one release."""


class QueueFull(JobsError):
    """Too many jobs are waiting; try again later."""

    retry_after = 5
    """Seconds; web replaces it with an estimate from the measured rate."""


class IdempotencyKeyReused(JobsError):
    """This Idempotency-Key was used before with another body; use a new key for a new request."""


class RateLimited(JobsError):
    """This key has posted as many rows as it may in this minute; try again later."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooManyWaiting(RateLimited):
    """This key has as many rows waiting as it may have; wait until some of them are scored."""

    def __init__(self, rows: int) -> None:
        """Web replaces `retry_after` with the time that so many rows take."""
        super().__init__(retry_after=1)
        self.rows = rows


class TooManyRequests(RateLimited):
    """This key has as many requests under way as it may have; wait for an answer before the next."""


class StoreShareUsed(RateLimited):
    """The ended jobs of this key fill its share of Redis; delete some, or wait until they expire."""


class TooManyBatches(RateLimited):
    """This key has as many unfinished batches as it may have; wait until one of them has ended."""


class TooManyUploads(RateLimited):
    """This key has as many unused uploads as it may have; post batches of some, or delete some."""


class TooManyRows(JobsError):
    """The list has more rows than this key may post in a minute; send it in parts."""


class InvalidId(JobsError):
    """This is not the id of a job of this kind."""


class UnknownLetter(JobsError):
    """This is not a dead letter, or no longer one."""


class NotRetryable(JobsError):
    """This job cannot be tried again."""


class FilesUnavailable(JobsError):
    """The file store cannot be read or written."""


class FilesFull(FilesUnavailable):
    """The file store is nearly full; try again later, or tell the operator."""

    retry_after = 30
    """Seconds."""


class FilesForbidden(FilesUnavailable):
    """The file store refuses this, and trying again does not help."""


class FilesDiffer(JobsError):
    """The file that arrived has another CRC-32 than the one that was announced."""


class FileMissing(JobsError):
    """The file does not exist."""


class InvalidTable(JobsError):
    """The file is not a table that this model can score; the message says why, and where."""


class OverLimit(InvalidTable):
    """The file is over a limit; the message says which."""


class InvalidGzip(InvalidTable):
    """The file should be gzip, but is not, or is cut off."""
