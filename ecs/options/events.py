"""Whether files that appear in the bucket become batches, and ends of jobs events."""

import argparse


def add_events_option(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--events",
        action=argparse.BooleanOptionalAction,
        help="files below input/ of the bucket become batches, schedules, events of the ends of jobs",
    )
