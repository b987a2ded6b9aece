"""The form of a model: a field for each feature, and the row that its fields make."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from web.page.writing import write_value


@dataclass(frozen=True)
class Field:
    """`number` is the feature's place in the model; its name, which may hold any character, is only shown."""

    number: int
    name: str
    type: str
    label: str
    nullable: bool
    choices: tuple[str, ...]
    is_open: bool
    """Whether it takes other categories than the choices."""
    minimum: float | None
    maximum: float | None
    observed: Mapping[str, float] | None
    value: str = ""
    faults: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"f{self.number}"

    @property
    def hint(self) -> str:
        """What may be entered, and what training saw, in one line."""
        parts = []
        if self.minimum is not None or self.maximum is not None:
            parts.append(_range("", self.minimum, self.maximum))
        if self.observed:
            parts.append(_range("training saw ", self.observed["minimum"], self.observed["maximum"]))
        if self.nullable and self.type != "boolean" and (not self.choices or self.is_open):
            parts.append("may be left empty")
        return "; ".join(parts)


def _range(words: str, low: float | None, high: float | None) -> str:
    if low is None:
        return f"{words}at most {write_value(high)}"
    if high is None:
        return f"{words}at least {write_value(low)}"
    return f"{words}{write_value(low)} to {write_value(high)}"


def fields_of(model: Mapping[str, Any], row: Mapping[str, Any] | None) -> list[Field]:
    """The fields of a model, filled with a row."""
    return [_field(number, feature, row or {}) for number, feature in enumerate(model["features"])]


def _field(number: int, feature: Mapping[str, Any], row: Mapping[str, Any]) -> Field:
    boolean = feature["type"] == "boolean"
    return Field(
        number,
        feature["name"],
        feature["type"],
        feature.get("description") or "",
        feature.get("nullable", False),
        ("true", "false") if boolean else tuple(feature.get("categories", ())),
        feature.get("unseen", "fault") != "fault",
        feature.get("minimum"),
        feature.get("maximum"),
        feature.get("observed"),
        write_value(row.get(feature["name"])),
    )


def row_of(fields: Iterable[Field], sent: Mapping[str, str]) -> dict[str, Any]:
    """The row that was entered, for the API to check: texts as they are, nothing where a field is empty."""
    row: dict[str, Any] = {}
    for field in fields:
        text = sent.get(field.key, "").strip()
        if text or field.nullable:
            row[field.name] = text or None
    return row


def with_faults(fields: Iterable[Field], errors: Iterable[Mapping[str, str]]) -> list[Field]:
    """Each field with what the API says is wrong with it."""
    said: dict[str, list[str]] = {}
    for error in errors:
        said.setdefault(error["pointer"], []).append(error["detail"])
    return [
        Field(**{**vars(field), "faults": tuple(said.get(f"/inputs/{_escaped(field.name)}", ()))})
        for field in fields
    ]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
