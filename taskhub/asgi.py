"""What the web server calls: pages and API by HTTP, live updates by WebSocket."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import SessionMiddlewareStack
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "taskhub.settings")
pages = get_asgi_application()

from jobs_app.live.origins import own_origin_only  # noqa: E402 - needs the apps that the line above loads
from taskhub.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": own_origin_only(SessionMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
