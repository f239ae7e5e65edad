"""Apps over REST."""

import pytest

pytestmark = pytest.mark.django_db


def make_app(home, name, text):
    folder = home / "apps" / name
    folder.mkdir(parents=True)
    (folder / "app.yaml").write_text(text)


def test_apps_are_listed_by_name_broken_ones_among_them(home, api_admin):
    make_app(home, "Zoo", "name: Zoo\nversion: 1.2.0\nenabled: false\ndescription: Animals\n")
    make_app(home, "Broken", "name: [")
    make_app(home, "Farm", "name: Farm\nversion: 1.0.0\nenabled: true\n")
    rows = api_admin.get("/api/v1/apps").json()["results"]
    assert [row["name"] for row in rows] == ["Broken", "Farm", "Zoo"]
    assert rows[0]["problems"] and not rows[0]["enabled"]
    assert [row["name"] for row in api_admin.get("/api/v1/apps?enabled=true").json()["results"]] == ["Farm"]
    zoo = api_admin.get("/api/v1/apps/Zoo").json()
    assert (zoo["version"], zoo["description"], zoo["enabled"], zoo["problems"]) == (
        "1.2.0",
        "Animals",
        False,
        [],
    )
