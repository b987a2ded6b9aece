"""The load: one wrk script, and the requests that it sends."""

from collections.abc import Sequence
from dataclasses import dataclass

LIST_ROWS, EXPLAINED_ROWS = 1_000, 100
WAIT = "wait=25"


@dataclass(frozen=True)
class Load:
    """A kind of request, and the answer that counts."""

    path: str
    before: str
    after: str
    answer: str
    status: int = 200
    prefer: str = ""
    rows: int = 1
    between: str = ""
    model: str = "salary"

    def body(self, numbers: Sequence[float]) -> str:
        """The body with a row for each of the numbers."""
        return self.before + self.between.join(f"{number:.7f}" for number in numbers) + self.after


ARTICLE_ROW = Load("/recms", '{"years":"', '"}', answer='"salary":"')

_MODEL = '{"model":"salary","inputs":'
_BEFORE_ROW, _AFTER_ROW = _MODEL + '{"years":', "}}"
_BEFORE_LIST, _BETWEEN, _AFTER_LIST = _MODEL + '[{"years":', '},{"years":', "}]}"

# The colon makes it a score: a resource, too, names itself with "object":"prediction".
_SCORE = '"prediction":'

IN_PROCESS_ROW = Load("/row", _BEFORE_ROW, _AFTER_ROW, _SCORE)
IN_PROCESS_LIST = Load("/list", _BEFORE_LIST, _AFTER_LIST, _SCORE, rows=LIST_ROWS, between=_BETWEEN)

_BEFORE_EXPERIENCE = '{"education":14,"experience":'
_AFTER_EXPERIENCE = (
    ',"knowledge":35,"mothers_education":12,"fathers_education":null,"region":"Pacific",'
    '"city":true,"student":false,"library_card":null}'
)
_BEFORE_WAGE, _AFTER_WAGE = '{"model":"wages","inputs":' + _BEFORE_EXPERIENCE, _AFTER_EXPERIENCE + "}"
IN_PROCESS_WAGE = Load("/wages", _BEFORE_WAGE, _AFTER_WAGE, '"interval":', model="wages")

PATH = "/v1/predictions"
_BEFORE_FLAT = (
    '{"model":"flats","inputs":{"city":"city 7","grade":"b","heating":"gas","rooms":3,"year":1974,"area":'
)
"""The columns of the pipeline; those of the booster alone are what the pipeline makes of them."""
_BEFORE_BARE = '{"model":"bare","inputs":{' + "".join(f'"f{number}":0,' for number in range(20)) + '"f20":'
WAITED_WAGE = Load(PATH, _BEFORE_WAGE, _AFTER_WAGE, '"interval":', prefer=WAIT, model="wages")
POSTED_ROW = Load(PATH, _BEFORE_ROW, _AFTER_ROW, answer='"pred_', status=202)
WAITED_ROW = Load(PATH, _BEFORE_ROW, _AFTER_ROW, _SCORE, prefer=WAIT)
WAITED_FLAT = Load(PATH, _BEFORE_FLAT, _AFTER_ROW, _SCORE, prefer=WAIT, model="flats")
WAITED_BARE = Load(PATH, _BEFORE_BARE, _AFTER_ROW, _SCORE, prefer=WAIT, model="bare")
WAITED_LIST = Load(PATH, _BEFORE_LIST, _AFTER_LIST, _SCORE, prefer=WAIT, rows=LIST_ROWS, between=_BETWEEN)


def _explained(path: str, prefer: str = "") -> Load:
    return Load(
        path,
        '{"model":"wages","explain":true,"inputs":[' + _BEFORE_EXPERIENCE,
        _AFTER_EXPERIENCE + "]}",
        answer='"contributions":',
        prefer=prefer,
        rows=EXPLAINED_ROWS,
        between=_AFTER_EXPERIENCE + "," + _BEFORE_EXPERIENCE,
        model="wages",
    )


IN_PROCESS_EXPLAINED = _explained("/explained")
WAITED_EXPLAINED = _explained(PATH, WAIT)
