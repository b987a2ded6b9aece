"""The tags of --tags, which CloudFormation gives to the stacks and to every resource in them."""

import re

from ecs.errors import InvalidUsage

MOST = 50
_TAG = re.compile(r"(?!aws:)([\w .:/+@-]{1,128})=([\w .:/+@-]{0,256})", re.IGNORECASE)

Tags = dict[str, str]


def parse_tags(option: str | None) -> Tags | None:
    """None keeps the current tags, and an empty text removes them. Raises InvalidUsage."""
    if option is None:
        return None
    tags = {}
    for each in filter(None, option.split(",")):
        match = _TAG.fullmatch(each.strip())
        if not match:
            raise InvalidUsage(
                f"--tags {each}: this is not a tag", "for example --tags team=data,cost-center=42"
            )
        tags[match[1]] = match[2]
    if len(tags) > MOST:
        raise InvalidUsage(f"--tags: these are {len(tags)} tags", f"AWS allows {MOST} on a resource")
    return tags
