"""Templates as the application sees them: they compile, and what they and the views name is there."""

import re
from pathlib import Path

import pytest
from flask import Flask

from marketplace.config import Environment, Settings
from marketplace.factory import create_app
from marketplace.kernel import navigation

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = {str(f.relative_to(ROOT / "templates")): f for f in sorted((ROOT / "templates").rglob("*.html"))}
VIEWS = {str(f.relative_to(ROOT)): f for f in sorted((ROOT / "marketplace").rglob("*.py"))}
ENDPOINT = re.compile(r"""url_for\(\s*["']([^"'{]+)["']""")
ASSET = re.compile(r"asset\(\s*'([^']+)'")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("instance")
    return create_app(Settings(marketplace_env=Environment.TEST, instance_dir=folder))


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_compiles(app: Flask, name: str) -> None:
    app.jinja_env.get_template(name)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_endpoint_that_a_template_names_exists(app: Flask, name: str) -> None:
    named = set(ENDPOINT.findall(TEMPLATES[name].read_text(encoding="utf-8")))
    assert named - set(app.view_functions) == set()


def test_every_endpoint_that_the_code_names_exists(app: Flask) -> None:
    named = {
        (name, endpoint)
        for name, file in VIEWS.items()
        for endpoint in ENDPOINT.findall(file.read_text(encoding="utf-8"))
    }
    # ".show" is the show of the blueprint that answers.
    known = set(app.view_functions) | {f".{known.rpartition('.')[2]}" for known in app.view_functions}
    assert {found for found in named if found[1] not in known} == set()


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_asset_that_a_template_names_exists(app: Flask, name: str) -> None:
    assert app.static_folder is not None
    named = set(ASSET.findall(TEMPLATES[name].read_text(encoding="utf-8")))
    assert [asset for asset in named if not (Path(app.static_folder) / asset).is_file()] == []


def test_every_entry_of_the_navigation_leads_to_an_endpoint(app: Flask) -> None:
    assert set(navigation.endpoints()) - set(app.view_functions) == set()


def test_an_asset_is_addressed_by_its_content_and_kept_for_long(app: Flask) -> None:
    with app.test_request_context("/"):
        address = app.jinja_env.globals["asset"]("gov.css")
    assert re.fullmatch(r"/static/gov\.css\?v=[0-9a-f]{8}", address)
    with app.test_client().get(address) as response:
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("address", ["/static/gov.css", "/static/gov.css?v=00000000"])
def test_an_asset_asked_for_under_another_fingerprint_is_not_kept(app: Flask, address: str) -> None:
    with app.test_client().get(address) as response:
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "no-cache"


def test_an_asset_outside_the_folder_is_refused(app: Flask) -> None:
    with app.test_request_context("/"), pytest.raises(FileNotFoundError):
        app.jinja_env.globals["asset"]("../config.py")
