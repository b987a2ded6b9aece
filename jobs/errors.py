"""What can go wrong between web, Redis and worker. None of it knows HTTP."""


class JobsError(Exception):
    """Something is wrong with a job or with where it waits."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


class InvalidSettings(JobsError):
    """The settings in the environment cannot be used."""


class StoreUnavailable(JobsError):
    """Redis does not answer: the request is not accepted as far as we know; repeat it."""


class QueueFull(JobsError):
    """Too much is waiting already; try again later."""

    retry_after = 5
    """Seconds, where nobody knows better."""


class IdempotencyKeyReused(JobsError):
    """This Idempotency-Key was used before, with another body; take a new key for a new request."""


class RateLimited(JobsError):
    """This key has posted all the rows that it may in this minute."""

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after


class TooManyBatches(RateLimited):
    """This key has as many unfinished batches as it may; wait until one of them has ended."""


class TooManyRows(JobsError):
    """A list of more rows than this key may post in a whole minute; send it in parts."""


class InvalidId(JobsError):
    """That is not the id of a job of this kind."""


class FilesUnavailable(JobsError):
    """The file store cannot be read or written."""


class FilesForbidden(FilesUnavailable):
    """The file store may not be used so: it will not do to try again."""


class FileMissing(JobsError):
    """There is no such file."""


class InvalidTable(JobsError):
    """The file is no table that this model can score; it says why, with the line."""


class InvalidGzip(InvalidTable):
    """The file was to be gzip, and is none, or not all of it."""
