"""What an answer 401 does to an open page. In node, without a page."""

import pytest

from tests.browser.test_log_modules import run

pytestmark = [pytest.mark.one_database]

ASKING = """
globalThis.document = new EventTarget()
globalThis.fetch = async () => ({ ok: false, status: Number(given[0]), json: async () => ({}) })
document.cookie = ""
document.querySelector = () => ({ value: "" })
let told = 0
document.addEventListener("th-signed-out", () => told++)
"""


@pytest.mark.parametrize(("status", "told"), [("401", 1), ("403", 0), ("503", 0)])
def test_only_a_401_tells_the_page_that_its_user_is_signed_out(status, told):
    ask = "await new it.LogSource('/x', 1).ask('', {}).catch(() => {}); return told"
    assert run("log_source.js", ASKING + ask, status) == told
    assert run("api_post.js", ASKING + "await it.post('/x').catch(() => {}); return told", status) == told


def test_a_connection_whose_page_was_told_so_ends_and_says_it():
    source = """
    const sockets = []
    globalThis.addEventListener = () => {}
    globalThis.location = { protocol: "http:", host: "here" }
    globalThis.WebSocket = class { constructor() { sockets.push(this) } close() { this.closed = true } }
    globalThis.document = new EventTarget()
    const states = []
    const connection = new it.Connection({ state: () => states.push(connection.state), hear() {}, clock() {} })
    connection.subscribe({ jobs: [] })
    document.dispatchEvent(new Event("th-signed-out"))
    connection.subscribe({ jobs: ["another"] })
    return [states, sockets.map((each) => each.closed)]
    """
    assert run("../live/connection.js", source) == [["signed-out"], [True]]
