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
    assert run("code_check.js", ASKING + "await it.check('python', '1'); return told", status) == told


def test_a_check_says_what_came_of_it():
    answers = """
    globalThis.document = Object.assign(new EventTarget(), { cookie: "", querySelector: () => null })
    const said = []
    for (const [status, told] of given[0]) {
      globalThis.fetch = async () => {
        if (!status) throw new Error("no network")
        return { ok: status < 400, status, json: async () => told }
      }
      said.push(await it.check("python", "1 +"))
    }
    return [...said.map(({ tone, words, line }) => [tone, words, line ?? null]), (await it.check("x", " ")).words]
    """
    found = run(
        "code_check.js",
        answers,
        [
            [200, {"ok": True}],
            [200, {"ok": False, "message": "invalid syntax", "line": 1}],
            [401, {}],
            [503, {"error": "not now"}],
            [0, None],
        ],
    )
    assert found[0] == ["good", "It compiles. Nothing was run.", None]
    assert found[1] == ["bad", "Line 1: invalid syntax", 1]
    assert found[2][:2] == ["bad", "You are signed out. Sign in in another tab, then repeat it."]
    assert found[3][1] == "not now" and "did not answer" in found[4][1]
    assert found[5] == "There is no code to check."


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
