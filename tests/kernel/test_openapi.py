"""docs/openapi.yaml: all of the API, with examples that are true, and the same shapes as the socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from accounts.middleware import SESSION_KEY
from tests import frames
from tests.cast import World, make_login
from tests.rest import Api

DOCUMENT: dict[str, Any] = yaml.load(
    (settings.BASE_DIR / "docs" / "openapi.yaml").read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
)
ADDRESS = "urn:samia:openapi"
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT["components"]["schemas"]
OPERATIONS = [
    pytest.param(method, path, operation, id=operation["operationId"])
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]
PUBLIC = {"auth_token", "auth_refresh"}


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_says_what_it_is(method: str, path: str, operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert set(operation["tags"]) <= {tag["name"] for tag in DOCUMENT["tags"]}
    assert bool(operation.get("security")) is (operation["operationId"] not in PUBLIC)
    statuses = set(operation["responses"])
    assert statuses >= {"400", "405", "429", "503"}
    assert not statuses & {"500"}
    assert ("404" in statuses) or "{" not in path
    for status, response in operation["responses"].items():
        found = resolve(response)
        assert found["description"]
        assert list(found.get("content", {})) == content_of(operation["operationId"], status)


def content_of(operation: str, status: str) -> list[str]:
    if status in ("204", "302", "304"):
        return []
    if int(status) >= 400:
        return ["application/problem+json"]
    return ["*/*" if operation == "file_open" else "application/json"]


def test_every_path_of_the_api_is_described() -> None:
    assert set(api_paths(get_resolver(), "/")) == set(DOCUMENT["paths"])


def api_paths(resolver: URLResolver, before: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        path = before + simple(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from api_paths(pattern, path)
        elif isinstance(pattern, URLPattern) and path.startswith("/api/"):
            yield path


def simple(pattern: str) -> str:
    """A route or regular expression as OpenAPI writes it."""
    pattern = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", pattern).removeprefix("^").removesuffix("$")
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern)


def test_examples_are_as_their_schemas() -> None:
    with_examples = {name: schema for name, schema in SCHEMAS.items() if "examples" in schema}
    assert {"SendRequest", "Message", "Session", "Sync", "TokenPair", "SignInRequest"} <= with_examples.keys()
    for name, schema in with_examples.items():
        for example in schema["examples"]:
            judge(name).validate(example)


def test_every_body_has_an_example() -> None:
    for _, _, operation in (parameters.values for parameters in OPERATIONS):
        if "requestBody" in operation:
            ((kind, content),) = operation["requestBody"]["content"].items()
            # A form with a file in it has none; what its fields are is said.
            is_form = kind == "multipart/form-data"
            assert is_form or "examples" in resolve(content["schema"]), operation["operationId"]


def test_bodies_are_closed() -> None:
    for name, schema in SCHEMAS.items():
        if name.endswith("Request"):
            assert schema["additionalProperties"] is False, name


SHARED = {
    "Message": "Message",
    "Participant": "Participant",
    "Booking": "Booking",
    "Mine": "Mine",
    "Session": "Session",
    "Presence": "Presence",
    "SyncEntry": "SyncEntry",
    "Cursors": "CursorsOfSession",
}


@pytest.mark.parametrize(("on_the_socket", "over_rest"), SHARED.items())
def test_a_shape_is_the_same_over_rest_and_on_the_socket(on_the_socket: str, over_rest: str) -> None:
    one = frames.document()["components"]["schemas"][on_the_socket]
    other = SCHEMAS[over_rest]
    assert set(one["required"]) == set(other["required"]) == set(one["properties"]) == set(other["properties"])
    for field in one["properties"]:
        assert kinds(one["properties"][field], frames.document()) == kinds(other["properties"][field], DOCUMENT), field


def kinds(schema: dict[str, Any], document: dict[str, Any]) -> set[str]:
    """What a field can be: types, formats, the words of an enumeration, the shape it refers to."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        found = resolve(schema, document)
        return {SHARED.get(name, name)} if found.get("type") == "object" else kinds(found, document)
    if "enum" in schema:
        return {f"{word}" for word in schema["enum"]}
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            return set[str]().union(*(kinds(part, document) for part in schema[several]))
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "array" in types:
        return {f"array of {kind}" for kind in kinds(schema["items"], document)}
    return {schema.get("format", kind) if kind == "string" else kind for kind in types}


def test_resumed_is_the_answer_of_sync() -> None:
    resumed = set(frames.payload("server", "resumed")["properties"])
    assert resumed - {"type", "ref"} == set(SCHEMAS["Sync"]["properties"])


def test_a_refusal_is_as_described(world: World) -> None:
    api = Api(world.client)
    for answer in (
        api.get("/nothing"),
        api.put("/me"),
        api.post("/chat/sessions", b"{"),
        api.get("/chat/sessions?colour=red"),
        Api().get("/me"),
    ):
        judge("Problem").validate(answer.body)
        assert answer.headers["Content-Type"] == "application/problem+json"


# What generated requests have found ----------------------------------------------------------------------------------------


def test_a_method_that_is_not_there_is_refused_whatever_else_is_wrong(world: World) -> None:
    api = Api(world.client)
    for method in ("DELETE", "TRACE", "OPTIONS"):
        answer = api.request(method, "/chat/sessions?colour=red")
        assert (answer.status, answer.code, answer.headers["Allow"]) == (405, "method_not_allowed", "GET, POST, HEAD")


def test_every_401_says_how_to_sign_in(world: World) -> None:
    for answer in (
        Api().get("/me"),
        Api().post("/auth/token", {"email": world.client.email, "password": "wrong"}),
        Api().post("/auth/refresh", {"refresh": "unknown"}),
    ):
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("query", ["type=", "limit=", "limit=1&limit=2", "cursor=%00", "type=booking&type=support"])
def test_a_parameter_is_given_once_and_not_empty(query: str, world: World) -> None:
    answer = Api(world.client).get(f"/chat/sessions?{query}")
    assert (answer.status, answer.code) == (400, "invalid")
    assert answer.body["errors"].keys() == {query.split("=")[0]}


def test_yes_is_not_true_and_7_0_is_7(world: World) -> None:
    fields = {
        "client": world.client.pk,
        "service": "Celtic Cross",
        "scheduled_at": "2026-03-14T18:00:00Z",
        "status": "pending",
        "is_emergency": "yes",
    }
    refused = Api(world.admin).put(f"/bookings/{world.booking.pk}", fields)
    assert (refused.status, list(refused.body["errors"])) == (400, ["is_emergency"])
    moved = Api(world.client).request("PUT", f"/chat/sessions/{world.session}/read", b'{"up_to": 0.0}')
    assert moved.status == 200


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_beyond_the_calendar_is_invalid(when: str, world: World) -> None:
    answer = Api(world.client).put(f"/chat/sessions/{world.session}/mute", {"until": when})
    assert (answer.status, answer.code) == (400, "invalid")


@pytest.mark.parametrize("person", ["client", "admin"])
def test_somebody_with_a_cookie_signs_out(person: str, world: World) -> None:
    """Staff enter the database under a role that has no rights on web sessions."""
    browser = Client(raise_request_exception=False)
    session = browser.session
    session[SESSION_KEY] = str(make_login(world.people[person]).pk)
    session.save()
    assert browser.get("/api/me").status_code == 200
    assert browser.post("/api/auth/logout").status_code == 204
    assert browser.get("/api/me").status_code == 401


def test_signing_out_with_a_bearer_leaves_the_cookie_alone(world: World) -> None:
    browser = Client(raise_request_exception=False)
    session = browser.session
    session[SESSION_KEY] = str(make_login(world.client).pk)
    session.save()
    answer = browser.post("/api/auth/logout", headers={"Authorization": Api(world.reader).headers["Authorization"]})
    assert answer.status_code == 204
    assert browser.get("/api/me").json()["id"] == str(world.client.pk)


def resolve(schema: dict[str, Any], document: dict[str, Any] = DOCUMENT) -> dict[str, Any]:
    while "$ref" in schema:
        node: Any = document
        for name in schema["$ref"].removeprefix("#/").split("/"):
            node = node[name]
        schema = node
    return schema


def judge(name: str) -> Draft202012Validator:
    registry: Registry[Any] = Registry().with_resource(ADDRESS, DRAFT202012.create_resource(DOCUMENT))
    schema = {"$ref": f"{ADDRESS}#/components/schemas/{name}"}
    return Draft202012Validator(schema, registry=registry, format_checker=frames.formats)
