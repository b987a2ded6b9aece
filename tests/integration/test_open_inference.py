"""Triton's own client scores through real processes, without knowing that there is a queue."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, triton_to_np_dtype

from tests.integration.models import score_in_process
from tests.integration.stack import Stack


@pytest.fixture
def client(shared: Stack) -> Iterator[Any]:
    with InferenceServerClient(shared.address.removeprefix("http://")) as client:
        yield client


def years(values: NDArray[Any], datatype: str = "FP64", binary: bool = True) -> InferInput:
    tensor = InferInput("years", list(values.shape), datatype)
    return tensor.set_data_from_numpy(values, binary_data=binary)


def test_the_client_finds_a_server_that_lives_and_a_model_that_is_ready(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("salary")
    assert client.is_model_ready("salary", "1")
    assert not client.is_model_ready("salary", "2")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert [model["name"] for model in client.get_model_repository_index()] == ["salary", "wages"]


def test_what_the_metadata_describes_can_be_sent(client: Any) -> None:
    [described] = client.get_model_metadata("salary", "1")["inputs"]
    tensor = InferInput(described["name"], [1], described["datatype"])
    result = client.infer("salary", [tensor.set_data_from_numpy(np.array([2.5]))], "1")
    assert result.as_numpy("prediction").tolist() == [np.float32(260.00012)]


@pytest.mark.parametrize("binary", [True, False])
def test_a_thousand_rows_equal_xgboost(client: Any, binary: bool) -> None:
    values = np.arange(1_000).reshape(-1, 1) * 0.0137
    wanted = InferRequestedOutput("prediction", binary_data=binary)
    result = client.infer("salary", [years(values, binary=binary)], outputs=[wanted], request_id="many")
    assert result.get_response()["id"] == "many"
    scores = score_in_process([{"years": value} for value in values.ravel().tolist()])
    assert result.as_numpy("prediction").tolist() == np.array(scores, dtype=np.float32).tolist()


@pytest.mark.parametrize("datatype", ["FP16", "FP32", "INT32", "UINT8"])
def test_numbers_of_any_datatype_are_taken(client: Any, datatype: str) -> None:
    values = np.array([2.0, 12.0]).astype(triton_to_np_dtype(datatype))
    result = client.infer("salary", [years(values, datatype)])
    scores = score_in_process([{"years": 2}, {"years": 12}])
    assert result.as_numpy("prediction").tolist() == np.array(scores, dtype=np.float32).tolist()


def test_the_client_shows_what_is_wrong_and_where(client: Any) -> None:
    with pytest.raises(InferenceServerException, match="/inputs/0/data/1 must not be null") as refused:
        client.infer("salary", [years(np.array([2.5, np.nan]))])
    assert refused.value.status() == "422"
    with pytest.raises(InferenceServerException, match="there is no model nobody"):
        client.infer("nobody", [years(np.array([2.5]))])
