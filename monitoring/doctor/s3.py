"""The bucket: ours to read and write, nobody else's, and its signed addresses are worth what they say."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings

from monitoring.doctor.finding import Finding, error, ok, warning
from storage import bucket
from storage.errors import StoreAway

ANSWER_SECONDS = 10
SKEW_WARNING, SKEW_ERROR = 5.0, 300.0  # seconds; addresses live for a minute, and stores refuse us beyond 15 minutes
TYPE, DISPOSITION = "application/octet-stream", 'attachment; filename="probe"'
STRANGER = "https://stranger.invalid"
EVERYBODY = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)
_PRIVATE = "Make the bucket private: no public policy or ACL, all public access blocked, signatures required."


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int  # 0: nobody answered
    headers: Message
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Probe:
    """An object that was put for the examination, and its address without a signature."""

    key: str
    content: bytes
    address: str


def examine() -> Iterator[Finding]:
    client = bucket.store().client()  # type: ignore[attr-defined]  # where there is a bucket, it is of storage/s3.py
    reached, answer = _reach(client)
    yield from _clock(answer)
    yield reached
    if reached.level == "error":
        return
    content = secrets.token_bytes(1000)
    key = bucket.key_of(session_id=None, owner_id=uuid4(), file_id=uuid4(), extension="probe")
    where = settings.S3_ENDPOINT_URL.replace("://", f"://{settings.S3_BUCKET}.", 1)
    base = f"{settings.S3_ENDPOINT_URL}/{settings.S3_BUCKET}" if settings.S3_ADDRESSING == "path" else where
    probe = Probe(key=key, content=content, address=f"{base}/{key}")
    try:
        written = list(_written(probe))
        yield from written
        if not written:
            yield from _private(client, probe, base)
            yield from _origins(client, base)
            yield from _addresses(probe)
            yield ok(f"Files lie in {settings.S3_BUCKET} at {settings.S3_ENDPOINT_URL}, which is ours alone.")
    finally:
        with suppress(StoreAway):  # which has been said already
            bucket.delete(key)


def _reach(client: Any) -> tuple[Finding, dict[str, Any]]:
    """Whether the bucket is there and lets us in, and the answer from which that is known."""
    name, where = settings.S3_BUCKET, settings.S3_ENDPOINT_URL
    try:
        answer = client.list_objects_v2(Bucket=name, MaxKeys=1)
    except ClientError as problem:
        code, status = (
            problem.response["Error"].get("Code"),
            problem.response["ResponseMetadata"]["HTTPStatusCode"],
        )
        if code == "NoSuchBucket":
            found = error(f"There is no bucket {name} at {where}.", "Run `manage.py make_bucket`.")
        elif status in (400, 403):
            found = error(
                f"{where} refuses us ({code}).",
                "Check S3_ACCESS_KEY, S3_SECRET_KEY, S3_REGION, and this machine's clock.",
            )
        else:
            found = error(f"{where} answers {status} {code}.", "Is this the address of an S3 store? See its log.")
        return found, problem.response
    except BotoCoreError as problem:
        advice = "Is it up, and can it be reached from here? S3_ENDPOINT_URL says where it is looked for."
        return error(f"{where} does not answer: {problem}", advice), {}
    return ok(f"The bucket {name} answers."), answer


def _clock(answer: dict[str, Any]) -> Iterator[Finding]:
    said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    if not said:
        return
    skew = time.time() - parsedate_to_datetime(said).timestamp()
    if abs(skew) < SKEW_WARNING:
        return
    make = error if abs(skew) > SKEW_ERROR else warning
    yield make(
        f"This machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the store's.",
        "Run an NTP client on both: signed addresses go by the clock.",
    )


def _written(probe: Probe) -> Iterator[Finding]:
    """Nothing, when the probe can be put and read."""
    advice = "The key needs the rights to get, put, delete and list objects of this bucket."
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe"
        path.write_bytes(probe.content)
        try:
            bucket.put(probe.key, path, TYPE)
            found = bucket.digest(probe.key)
        except (StoreAway, FileNotFoundError, FileExistsError) as problem:
            yield error(f"An object cannot be put and read: {problem.__cause__ or problem}", advice)
            return
    if found != (len(probe.content), hashlib.sha256(probe.content).digest()):
        yield error("What is read is not what was put.", "Do not use this store.")


def _private(client: Any, probe: Probe, base: str) -> Iterator[Finding]:
    """Whatever its settings say: what a stranger gets."""
    if _ask(probe.address).status == 200:
        yield error("Anybody can read files without a signature.", _PRIVATE)
    if _ask(f"{base}?list-type=2").status == 200:
        yield error("Anybody can list the bucket.", _PRIVATE)
    strange = probe.address.replace(probe.key, f"people/{uuid4()}/{uuid4()}.probe")
    if _ask(strange, "PUT", body=b"probe").status in (200, 201, 204):
        yield error("Anybody can put objects into the bucket.", _PRIVATE)
        _ask(strange, "DELETE")
    # Not every store knows these, and not every key may ask; what strangers get was tried above.
    with suppress(ClientError, BotoCoreError):
        for grant in client.get_bucket_acl(Bucket=settings.S3_BUCKET).get("Grants", ()):
            if grant.get("Grantee", {}).get("URI") in EVERYBODY:
                yield error(f"The bucket's ACL grants {grant.get('Permission')} to everybody.", _PRIVATE)
    with suppress(ClientError, BotoCoreError):
        status = client.get_bucket_policy_status(Bucket=settings.S3_BUCKET)
        if status.get("PolicyStatus", {}).get("IsPublic"):
            yield error("The bucket's policy is public.", _PRIVATE)


def _origins(client: Any, base: str) -> Iterator[Finding]:
    """No rule is needed: pages show and play files without reading them. None may let other sites write."""
    advice = "Remove the bucket's CORS rules; the product needs none."
    with suppress(ClientError, BotoCoreError):
        for rule in client.get_bucket_cors(Bucket=settings.S3_BUCKET).get("CORSRules", ()):
            writes = set(rule.get("AllowedMethods", ())) - {"GET", "HEAD"}
            if writes and any("*" in origin for origin in rule.get("AllowedOrigins", ())):
                yield error(f"Any site may send {', '.join(sorted(writes))} to the bucket.", advice)
    asked = _ask(base, "OPTIONS", headers={"Origin": STRANGER, "Access-Control-Request-Method": "PUT"})
    allowed = asked.headers.get("Access-Control-Allow-Origin", "")
    methods = asked.headers.get("Access-Control-Allow-Methods", "").upper()
    if asked.status < 300 and allowed in ("*", STRANGER) and ("PUT" in methods or methods == "*"):
        yield error("Browsers let any site write to the bucket, if it has a signature.", advice)


def _addresses(probe: Probe) -> Iterator[Finding]:
    """Signed addresses, as browsers reach them."""
    public = settings.S3_PUBLIC_ENDPOINT_URL
    url = _signed(probe)
    if not url.startswith(f"{settings.BUCKET_ORIGIN}/"):
        yield error(
            f"Addresses do not begin with {settings.BUCKET_ORIGIN}, so that pages would not show them.",
            "Set S3_ENDPOINT_URL, S3_PUBLIC_ENDPOINT_URL and S3_ADDRESSING as the store has it.",
        )
    answer = _ask(url)
    if answer.status == 0:
        yield warning(
            f"{public} cannot be reached from here, so signed addresses were not tried.",
            "It must be reachable for browsers. If it is not, set S3_PUBLIC_ENDPOINT_URL.",
        )
        return
    if answer.status != 200 or answer.body != probe.content:
        yield error(
            f"A signed address at {public} is answered with {answer.status}.",
            "A proxy in between must leave Host, path and query as they are.",
        )
        return
    if answer.headers.get("Content-Disposition") != DISPOSITION or answer.headers.get_content_type() != TYPE:
        yield error(
            "The store does not give the type and name that were signed: a file could run as a page of its origin.",
            "Use a store that knows response-content-type and response-content-disposition.",
        )
    if _ask(url, headers={"Range": "bytes=0-9"}).status != 206:
        yield warning(
            "The store does not answer 206 when a part is asked for: Safari plays nothing, and nobody can seek.",
            "Use another store, or a newer version of this one.",
        )
    if _ask(url, "PUT", body=b"other").status in (200, 201, 204) or bucket.size(probe.key) != len(probe.content):
        yield error("The address for reading a file lets people write it.", "Do not use this store.")
    short = _signed(probe, seconds=1)
    time.sleep(2.5)
    if _ask(short).status == 200:
        yield error(
            "A signed address is good for longer than it says.", "Do not use this store; check its clock first."
        )


def _signed(probe: Probe, seconds: int | None = None) -> str:
    url = bucket.signed_url(probe.key, content_type=TYPE, disposition=DISPOSITION, seconds=seconds)
    assert url is not None  # only disks have none
    return url


def _ask(url: str, method: str = "GET", *, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
    """A request without credentials. The address is of our settings, which take http and https only."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as found:  # noqa: S310
            return Answer(status=found.status, headers=found.headers, body=found.read(1_000_000))
    except urllib.error.HTTPError as refused:
        with refused:
            return Answer(status=refused.code, headers=refused.headers, body=refused.read(1_000_000))
    except OSError:
        return Answer(status=0, headers=Message(), body=b"")
