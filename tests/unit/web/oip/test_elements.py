"""Elements as bytes: little-endian, as Triton writes them, and exactly as many as declared."""

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.utils import deserialize_bytes_tensor, serialize_byte_tensor, triton_to_np_dtype

from web.oip.elements import CODES, decode, encode


@pytest.mark.parametrize("datatype", CODES)
def test_numbers_are_written_and_read_as_numpy_has_them(datatype: str) -> None:
    array = np.array([0, 1, 100, 3]).astype(triton_to_np_dtype(datatype))
    assert decode(datatype, array.tobytes(), 4) == array.tolist()
    assert encode(datatype, array.tolist()) == array.tobytes()


@given(st.lists(st.text(), min_size=1))
def test_texts_are_written_and_read_as_triton_has_them(texts: list[str]) -> None:
    written = serialize_byte_tensor(np.array(texts, dtype=np.object_)).item()
    assert decode("BYTES", written, len(texts)) == texts
    assert encode("BYTES", texts) == written
    assert [text.decode() for text in deserialize_bytes_tensor(written)] == texts


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "FP64"])
def test_nan_is_a_missing_value_and_infinity_is_not(datatype: str) -> None:
    assert decode(datatype, encode(datatype, [math.nan, 1.0, math.inf]), 3) == [None, 1.0, math.inf]


@pytest.mark.parametrize(
    ("datatype", "data", "count"),
    [
        ("FP32", b"", 1),
        ("FP32", b"123", 1),
        ("FP32", b"12345678", 1),
        ("FP64", b"12345678", 10**30),
        ("BYTES", b"", 1),
        ("BYTES", b"\x01\x00\x00", 1),
        ("BYTES", b"\x02\x00\x00\x00a", 1),
        ("BYTES", b"\xff\xff\xff\xffa", 1),
        ("BYTES", struct.pack("<I", 1) + b"\xff", 1),
        ("BYTES", b"\x00\x00\x00\x00" * 3, 2),
    ],
)
def test_bytes_that_do_not_match_the_shape_are_refused(datatype: str, data: bytes, count: Any) -> None:
    with pytest.raises(ValueError, match=r"holds|ends within"):
        decode(datatype, data, count)
