"""Files in a private bucket on S3, or on a store that speaks it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from storage.bucket import PIECE_BYTES, Entry

# A request waits for the store at most so long, twice: a store that is away must not hold the threads of all requests.
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 2, 10, 2


class PrivateBucket(S3Storage):  # type: ignore[misc]  # it has no types
    """django-storages' S3, with one client for all threads, errors that are OSErrors, and no upload in parts or threads.

    A client is safe to share. Django-storages makes one for each thread, which takes 50 ms and some megabytes, and a
    request here may have a thread that never asked the store before.
    """

    def __init__(self, *, public_endpoint_url: str, addressing_style: str, **options: Any) -> None:
        super().__init__(
            **options,
            addressing_style=addressing_style,
            default_acl=None,  # private: what the bucket says, and no grant of ours beside it
            file_overwrite=True,  # names are never changed; _save refuses one that is taken
            querystring_auth=True,
            client_config=Config(
                signature_version="s3v4",
                # The body is under the signature on https, too: what is stored is what was sent.
                s3={"addressing_style": addressing_style, "payload_signing_enabled": True},
                # boto3 would add trailing checksums, which stores other than Amazon's mostly refuse.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                max_pool_connections=16,
            ),
        )
        self.public_endpoint_url = public_endpoint_url
        self._making = threading.Lock()
        self._clients: dict[str, Any] = {}

    def client(self, endpoint: str = "") -> Any:
        """The client of the store, or of another address of it. boto3 has no types."""
        endpoint = endpoint or self.endpoint_url
        with self._making:
            if endpoint not in self._clients:
                session = boto3.session.Session(
                    aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key
                )
                self._clients[endpoint] = session.client(
                    "s3", region_name=self.region_name, endpoint_url=endpoint, config=self.client_config
                )
            return self._clients[endpoint]

    def _save(self, name: str, content: Any) -> str:
        """One request, which the store carries out whole or not at all. Raises FileExistsError.

        Asked before and not by If-None-Match, which half of the stores do not know. Keys hold a fresh id: nobody races.
        """
        if self.exists(name):
            raise FileExistsError(name)
        with os_errors():
            self.client().put_object(
                Bucket=self.bucket_name, Key=name, Body=content.file, ContentType=content.content_type
            )
        return name

    def delete(self, name: str) -> None:
        try:
            with os_errors():
                self.client().delete_object(Bucket=self.bucket_name, Key=name)
        except FileNotFoundError:
            return

    def exists(self, name: str) -> bool:
        try:
            self.size(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        with os_errors():
            return int(self.client().head_object(Bucket=self.bucket_name, Key=name)["ContentLength"])

    def pieces(self, name: str) -> Iterator[bytes]:
        with os_errors():
            body = self.client().get_object(Bucket=self.bucket_name, Key=name)["Body"]
            with body:
                yield from body.iter_chunks(PIECE_BYTES)

    def entries(self) -> Iterator[Entry]:
        with os_errors():
            for page in self.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket_name):
                for found in page.get("Contents", ()):
                    yield Entry(key=found["Key"], size=found["Size"], modified=found["LastModified"])

    def make(self) -> None:
        with os_errors():
            try:
                self.client().head_bucket(Bucket=self.bucket_name)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                    raise
                where = {} if self.region_name == "us-east-1" else {"LocationConstraint": self.region_name}
                self.client().create_bucket(
                    Bucket=self.bucket_name, **({"CreateBucketConfiguration": where} if where else {})
                )

    def remove_unfinished(self, before: datetime) -> int:
        """Nothing: an object is put by one request."""
        return 0

    def signed_url(self, name: str, *, seconds: int, content_type: str, disposition: str, method: str) -> str:
        with os_errors():
            url: str = self.client(self.public_endpoint_url).generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self.bucket_name,
                    "Key": name,
                    "ResponseContentType": content_type,
                    "ResponseContentDisposition": disposition,
                    "ResponseCacheControl": "private, no-store",
                },
                ExpiresIn=seconds,
                HttpMethod=method,
            )
        return url


@contextmanager
def os_errors() -> Iterator[None]:
    """boto3's errors as Python's: an object that is not there, or a store that does not do what is asked."""
    try:
        yield
    except ClientError as error:
        answer = error.response
        code = answer.get("Error", {}).get("Code", "")
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404 and code != "NoSuchBucket":
            raise FileNotFoundError(code) from error
        raise OSError(f"{error.operation_name}: {status} {code}") from error
    except BotoCoreError as error:
        raise OSError(str(error)) from error
