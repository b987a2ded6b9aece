"""What was measured, as text for people and as JSON for programs."""

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from benchmarks.session import Session
from benchmarks.targets import TARGETS

RESULTS = Path(__file__).parent / "results" / "predictions.json"


def text(session: Session) -> str:
    """Tables of all measurements, the memory, and the targets."""
    parts = []
    if session.measurements:
        parts.append(_aligned(_loads(session), left=2))
    if session.timings:
        parts.append(_aligned(_timings(session), left=2))
    if session.memory:
        parts.append("MiB of each process (USS), parents first\n" + _aligned(_memory(session), left=4))
    if session.figures:
        parts.append(_aligned(_figures(session), left=1))
    parts += ["FAILED " + failure for failure in session.failures]
    return "\n\n".join(parts)


def save(session: Session) -> None:
    """Write the same as JSON."""
    content = {
        "machine": {
            "cpus": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "seconds": session.seconds,
        "runs": session.runs,
        "measurements": [
            asdict(each) | {"ratio": _ratio(session, index)}
            for index, each in enumerate(session.measurements)
        ],
        "timings": [asdict(each) for each in session.timings],
        "memory": [asdict(each) for each in session.memory],
        "figures": [asdict(each) | {"met": each.met} for each in session.figures],
        "failures": session.failures,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")


def _ratio(session: Session, index: int) -> float | None:
    each = session.measurements[index]
    rival = session.rival(each.rows, each.connections, each.model)
    return each.rate / rival.rate if rival else None


def _loads(session: Session) -> list[list[str]]:
    lines = [["contender", "scenario", "connections", "requests/s", "rows/s", "p50 ms", "p99 ms"]]
    lines[0] += ["x (b)", "CPU us a request"]
    for index, each in enumerate(session.measurements):
        ratio = _ratio(session, index)
        numbers = [f"{each.rate:,.0f}", f"{each.rate * each.rows:,.0f}", f"{each.p50:.2f}", f"{each.p99:.2f}"]
        numbers += [f"{ratio:.2f}" if ratio else "-", _cpu(each.cpu)]
        lines.append([each.contender, each.scenario, str(each.connections), *numbers])
    return lines


def _cpu(used: Mapping[str, float]) -> str:
    parts = " + ".join(f"{part} {microseconds:.0f}" for part, microseconds in used.items())
    return f"{parts} = {sum(used.values()):.0f}" if len(used) > 1 else parts


def _timings(session: Session) -> list[list[str]]:
    lines = [[each.contender, each.scenario, f"{each.seconds:.2f}"] for each in session.timings]
    return [["contender", "scenario", "seconds"], *lines]


def _memory(session: Session) -> list[list[str]]:
    lines = [["contender", "scenario", "part", "processes", "sum"]]
    for each in session.memory:
        processes = " + ".join(f"{mib:.0f}" for mib in each.mib)
        lines.append([each.contender, each.scenario, each.part, processes, f"{sum(each.mib):.0f}"])
    return lines


def _figures(session: Session) -> list[list[str]]:
    lines = [["figure", "target", "measured", "met"]]
    order = list(TARGETS.values())  # in which one is "the same" as that before
    for each in sorted(session.figures, key=lambda figure: order.index(figure.target)):
        target = f"{each.target.sense} {each.target.bound:,g} {each.target.unit}"
        measured = f"{each.measured:,.2f}" if each.measured < 100 else f"{each.measured:,.0f}"
        lines.append(
            [each.target.what, target, f"{measured} {each.target.unit}", "met" if each.met else "MISSED"]
        )
    return lines


def _aligned(lines: list[list[str]], left: int) -> str:
    """Columns as wide as their widest cell; the first ones start at the left, numbers end at the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
