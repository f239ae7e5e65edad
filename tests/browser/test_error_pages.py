"""Our own pages for what is missing, forbidden or broken, in the shell and outside of it, in both themes."""

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious
from tests.browser.conftest import rename_table

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def test_missing_and_broken_pages_stand_in_both_themes(browser, web, sign_in, picture):
    contexts = {theme: browser.new_context(color_scheme=theme) for theme in ("light", "dark")}
    pages = {theme: context.new_page() for theme, context in contexts.items()}
    for theme, page in pages.items():
        answer = page.goto(f"{web.address}/nothing/")
        assert answer.status == 404
        expect(page.get_by_text("There is nothing at this address.")).to_be_visible()
        assert serious(page, ["body"]) == []
        picture(page, f"error-outside-{theme}")
        sign_in(page, web)
    rename_table(web, "core_auditentry", "put_away")
    for theme, page in pages.items():
        for path, status, words in (
            ("nothing/", 404, "There is nothing at this address."),
            ("core/auditentry/", 500, "Something went wrong on our side."),
        ):
            answer = page.goto(f"{web.address}/admin/{path}")
            assert answer.status == status
            # In the shell, so that one can go on from there; with the id under which the log has it.
            expect(page.get_by_text(words)).to_be_visible()
            expect(page.get_by_text("Request ")).to_be_visible()
            expect(page.locator("#nav-sidebar")).to_be_visible()
            expect(page.get_by_role("link", name="Try again")).to_have_count(int(status == 500))
            expect(page.locator("html")).to_have_class("dark" if theme == "dark" else "")
            assert serious(page, ["#content"]) == []
            picture(page, f"error-{status}-{theme}")
        page.keyboard.press("Control+k")
        page.keyboard.type("jobs")
        page.keyboard.press("Enter")
        page.wait_for_url("**/jobs_app/job/")
    for context in contexts.values():
        context.close()
