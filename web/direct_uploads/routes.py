"""/v1/uploads: begin, show and delete."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from web.app import JsonResponse
from web.batch_requests import check_file_type
from web.direct_uploads.resource import PATH, path_of, upload_resource
from web.direct_uploads.service import DirectUploads, UploadRequest
from web.faults import faults_in
from web.openapi.operation import Operation, ResponseSchema, json_body
from web.openapi.parameters import in_path
from web.openapi.upload_schemas import UploadSchema
from web.problems import Problem
from web.requests import ApiRequest, parse_json, read_json_body, refuse_many_members, require_json_accepted
from web.routing import route

_LONGEST_NAME = 255
_DESCRIPTION = """\
For files that are longer than what is in front of this service lets through. Put each part with a request \
of its own and without a key, ask again where addresses have expired, and then post \
`{"upload": "upload_…"}` to `/v1/batches`, with any options. Where there are no uploads, this is 404: \
post the file itself to `/v1/batches`."""
_HEX = 16


class UploadBody(BaseModel):
    """What is to be uploaded."""

    model_config = ConfigDict(extra="forbid", strict=True)

    size: int = Field(ge=1, description="Bytes of the file")
    media_type: str = Field(
        "", max_length=128, description="Media type of the file, as for one in the body of a batch"
    )
    name: str = Field(
        "", max_length=_LONGEST_NAME, description="Name of the file; its ending may tell the format"
    )
    crc32: Annotated[
        str | None,
        Field(
            pattern="^[0-9a-f]{8}$",
            description="CRC-32 of the whole file; a file that arrives with another is refused",
        ),
    ] = None


_ON_ONE = (in_path("upload_id", "`id` of the upload", {"type": "string"}),)
_UPLOAD = ResponseSchema(
    "The upload, with addresses for parts that are missing", UploadSchema, always=("Cache-Control",)
)


class UploadRoutes:
    def __init__(self, uploads: DirectUploads) -> None:
        self._uploads = uploads

    @route(
        "POST",
        PATH,
        Operation(
            "createUpload",
            "uploads",
            "Begin the upload of a file",
            {
                201: ResponseSchema(
                    "The upload, and where to put its parts",
                    UploadSchema,
                    always=("Location", "Cache-Control"),
                )
            },
            (404, 406, 413, 415, 422, 429, 501, 503),
            description=_DESCRIPTION,
            body=json_body(
                UploadBody.model_json_schema(),
                {"csv": {"value": {"size": 25_000_000, "media_type": "text/csv", "name": "people.csv"}}},
            ),
        ),
    )
    def create(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        state = self._uploads.begin(_read_body(request), request.owner.name)
        headers = {"Location": path_of(state.upload.id), "Cache-Control": "no-store"}
        return JsonResponse(upload_resource(state), 201, headers)

    @route(
        "GET",
        f"{PATH}/<upload_id>",
        Operation(
            "showUpload",
            "uploads",
            "Show what is missing of an upload, with new addresses",
            {200: _UPLOAD},
            (404, 406, 503),
            parameters=_ON_ONE,
        ),
    )
    def show(self, request: ApiRequest, upload_id: str) -> JsonResponse:
        require_json_accepted(request)
        state = self._uploads.show(upload_id, request.owner.name)
        return JsonResponse(upload_resource(state), headers={"Cache-Control": "no-store"})

    @route(
        "DELETE",
        f"{PATH}/<upload_id>",
        Operation(
            "deleteUpload",
            "uploads",
            "Delete an upload and its file, unless a batch has taken it",
            {204: ResponseSchema("The upload is deleted")},
            (404, 503),
            parameters=_ON_ONE,
        ),
    )
    def delete(self, request: ApiRequest, upload_id: str) -> JsonResponse:
        self._uploads.drop(upload_id, request.owner.name)
        return JsonResponse(status=204)


def _read_body(request: ApiRequest) -> UploadRequest:
    sent = parse_json(read_json_body(request))
    refuse_many_members(sent)
    try:
        body = UploadBody.model_validate(sent)
    except ValidationError as error:
        raise Problem(
            422, "the body is not a valid request for an upload; see errors", faults_in(error)
        ) from None
    media_type = body.media_type.partition(";")[0].strip().lower()
    check_file_type(media_type)
    crc32 = None if body.crc32 is None else int(body.crc32, _HEX)
    return UploadRequest(body.size, body.media_type.strip(), body.name, crc32)
