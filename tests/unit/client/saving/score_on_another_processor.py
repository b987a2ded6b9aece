"""Scores rows with a bundle: a script for a process that plays another processor.

It is given a directory with `rows.json` and the bundle in `bundle`; it writes `scores.npy`.
"""

import json
import sys
from pathlib import Path

import numpy as np

from tests.unit.client.saving.bundles import SavedBundle

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    rows = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
    np.save(folder / "scores.npy", SavedBundle(folder / "bundle").score(rows))
