"""The server's protocol for the WebSocket, giving up sooner on a peer that takes nothing."""

from __future__ import annotations

from samia_chat.realtime import wire

wire.STALLED_SECONDS = 2.0
Protocol = wire.Protocol
