"""Django's handler of requests, each whole in one thread, and threads that are used again.

Django's own starts a thread for every request, and another that waits for its end; and it carries out only the outer
middleware there: CSRF check and view are found on the event loop and then handed to the thread once more. That was a third
of the process's time for a posted message, and more than half of it for a small answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from samia_chat.db import pools

MAX_IDLE = 64  # threads that wait for a request; more were a rush, and end

Message = Mapping[str, Any]


class Handler(ASGIHandler):
    _middleware_chain: Any

    def __init__(self) -> None:
        self._idle: list[ThreadPoolExecutor] = []  # of one thread each; the one used last is used next
        super().__init__()

    def load_middleware(self, is_async: bool = False) -> None:
        """Middleware and views as functions that call one another, as under WSGI. All of ours are."""
        super().load_middleware(is_async=False)
        respond = self._middleware_chain

        def respond_and_give_back(request: HttpRequest) -> HttpResponseBase:
            response: HttpResponseBase = respond(request)
            # Django would do it when the last byte is sent: eight who read a file slowly had all connections of the process.
            pools.give_back()
            return response

        self._middleware_chain = sync_to_async(respond_and_give_back)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        thread = self._idle.pop() if self._idle else ThreadPoolExecutor(max_workers=1, thread_name_prefix="request")
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self.handle(scope, receive, send)
        except BaseException:
            thread.shutdown(wait=False)  # a view that was broken off may still be at work in it
            raise
        if len(self._idle) < MAX_IDLE:
            self._idle.append(thread)
        else:
            thread.shutdown(wait=False)
