"""XGBoost's own file, read with care: what is wrong with it is said in one line."""

import xgboost

from model.description.errors import BundleError

SAVE = 'save the model with booster.save_model("model.ubj")'


def read_booster(model: bytes, said_of: str, threads: int = 1) -> xgboost.Booster:
    """Load UBJSON or JSON; `said_of` begins the one line of a BundleError."""
    if model.startswith(b"\x80"):
        raise BundleError(f"{said_of} is a pickle, and a pickle can run code when it is read; {SAVE}")
    unreadable = BundleError(f"{said_of} is no whole XGBoost model; {SAVE}")
    # A file cut short can crash XGBoost.
    if not (model.startswith(b"{") and model.rstrip(b"\n").endswith(b"}")):
        raise unreadable
    booster = xgboost.Booster({"nthread": threads})
    try:
        booster.load_model(bytearray(model))
    except (xgboost.core.XGBoostError, UnicodeDecodeError):  # the latter when it quotes bytes of the file
        raise unreadable from None
    return booster
