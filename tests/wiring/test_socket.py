"""The web process's side of a socket."""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.one_database]

# In a process of its own: importing the server chooses Twisted's reactor.
LEFT = """
from taskhub.web_server import Socket
one = Socket()
one.maxMessagePayloadSize = 7
one.state = Socket.STATE_CLOSED
one.sendMessage(b"news for who has left")
print(one.maxMessagePayloadSize)
"""


def test_what_is_sent_to_a_page_that_has_left_is_dropped_in_silence():
    done = subprocess.run([sys.executable, "-c", LEFT], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("7", "")
