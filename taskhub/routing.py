"""Where each WebSocket address leads."""

from channels.generic.websocket import AsyncWebsocketConsumer
from django.urls import path, re_path

from jobs_app.live.consumer import LiveConsumer


class NoSuchSocket(AsyncWebsocketConsumer):  # type: ignore[misc] # channels ships no types
    """Refuses the addresses nobody serves; without it each would be a traceback in the log."""

    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns = [
    path("ws/live/", LiveConsumer.as_asgi()),
    re_path(r"", NoSuchSocket.as_asgi()),
]
