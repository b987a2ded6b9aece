"""python -m worker.self_check: whether a worker with this image and these settings could work.

`python -m ecs update` runs this command in each new image, whatever its version.
"""

import sys

from jobs.errors import InvalidSettings, JobsError
from jobs.queues.connection import connect, store_errors
from jobs.settings import load_settings
from model.description.catalog import Catalog
from model.description.errors import ModelError
from worker.bundles import Bundles
from worker.roles import missing_package


def main() -> int:
    try:
        print(f"{check()} matches its golden rows; Redis responds")
    except (JobsError, ModelError) as error:
        print(f"self-check: {error}", file=sys.stderr)
        return 1
    return 0


def check() -> str:
    """Returns the ref of the default model. Raises JobsError or ModelError for what would stop a worker."""
    settings = load_settings()
    if missing := missing_package(settings.queues.split(",")):
        raise InvalidSettings(missing)
    with store_errors():
        connect(settings).ping()
    return Bundles(Catalog(settings.bundles, settings.default_model)).check_default()


if __name__ == "__main__":
    sys.exit(main())
