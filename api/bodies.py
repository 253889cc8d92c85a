"""Request bodies: read after the key was checked, parsed by orjson, typed by pydantic, described in OpenAPI."""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError

from lake.errors import BadValue

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """A body: no field that is not declared, no type that is not meant."""

    model_config = ConfigDict(extra="forbid", strict=True)


async def read(request: Request, model: type[Model]) -> Model:
    """The body as `model`. Raises BadValue for what is no JSON object, RequestValidationError for a wrong field."""
    try:
        data = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise BadValue("the body is not JSON", "send a JSON object in UTF-8") from None
    if not isinstance(data, dict):
        raise BadValue("the body is not a JSON object", "send an object like {…}")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False, include_url=False)) from None


def described(model: type[BaseModel], **examples: dict[str, Any]) -> dict[str, Any]:
    """`openapi_extra` of a route that reads `model`, with named examples."""
    schema = model.model_json_schema()
    schema = _inlined(schema, schema.pop("$defs", {}))
    content = {"schema": schema, "examples": {name: {"value": value} for name, value in examples.items()}}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _inlined(schema: Any, parts: dict[str, Any]) -> Any:
    """The schema with its references replaced by what they name."""
    if isinstance(schema, list):
        return [_inlined(item, parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inlined(parts[schema["$ref"].rsplit("/", 1)[1]], parts)
    return {key: _inlined(value, parts) for key, value in schema.items()}
