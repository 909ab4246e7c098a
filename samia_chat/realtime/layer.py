"""The channel layer: Redis pub/sub as channels_redis has it, but publishing does not wait for an answer.

What the layer loses is made good from the rows, so nobody needs to know how many processes heard an event; asking redis-py
for that answer was a fifth of the application's time at a few hundred messages a second.
"""

from __future__ import annotations

from typing import Any

from channels_redis.pubsub import RedisPubSubChannelLayer, RedisSingleShardConnection
from channels_redis.utils import create_pool
from redis.asyncio.connection import AbstractConnection


class PubSubLayer(RedisPubSubChannelLayer):  # type: ignore[misc]  # channels_redis has no types
    def _get_layer(self) -> Any:
        """The layer of this event loop."""
        layer = super()._get_layer()
        if not all(isinstance(shard, Shard) for shard in layer._shards):
            layer._shards = [Shard(shard.host, layer) for shard in layer._shards]
        return layer


class Shard(RedisSingleShardConnection):  # type: ignore[misc]
    """One Redis. Subscriptions are channels_redis's; publishing has a connection of its own, told to give no answers."""

    _publisher: AbstractConnection | None = None

    async def publish(self, channel: str, message: bytes) -> None:
        """Raises what redis raises, at the latest with the second message after a connection broke."""
        async with self._lock:
            if self._publisher is None:
                self._publisher = await self._connect()
            try:
                command = self._publisher.pack_command("PUBLISH", channel, message)
                await self._publisher.send_packed_command(command, check_health=False)
            except BaseException:
                await self._disconnect()
                raise

    async def _connect(self) -> AbstractConnection:
        connection: AbstractConnection = create_pool(self.host).make_connection()
        await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_command("CLIENT", "REPLY", "OFF")
        return connection

    async def _disconnect(self) -> None:
        connection, self._publisher = self._publisher, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def flush(self) -> None:
        await super().flush()
        await self._disconnect()
