"""The docs page: one document that asks for nothing else."""

import json
from html.parser import HTMLParser

import pytest

from tests.build.control_plane import ControlPlane, Response, control_plane

Attributes = dict[str, str | None]


class Elements(HTMLParser):
    """Collect the elements of a page, and the text of those with an id."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, Attributes]] = []
        self.texts: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember an element."""
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Remember the text after an element with an id."""
        identifier = self.found[-1][1].get("id") if self.found else None
        if identifier is not None:
            self.texts[identifier] = self.texts.get(identifier, "") + data


@pytest.fixture(scope="module")
def page() -> Response:
    """Give the page as it is served."""
    with control_plane() as plane:
        return plane.call("GET", "/admin/docs")


@pytest.fixture(scope="module")
def elements(page: Response) -> Elements:
    """Give its elements."""
    parser = Elements()
    parser.feed(page.body)
    parser.close()
    return parser


def test_it_is_html(page: Response) -> None:
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_no_element_of_it_loads_anything_from_elsewhere(elements: Elements) -> None:
    loading = [
        attributes[name]
        for tag, attributes in elements.found
        for name in ("src", "href", "srcset", "action", "data", "poster")
        if name in attributes and tag != "a"
    ]

    assert loading
    assert all(address is not None and address.startswith("data:") for address in loading)


def test_its_style_loads_nothing_from_elsewhere(page: Response) -> None:
    style = page.body.partition("<style>")[2].partition("</style>")[0]

    assert len(style) > 100_000
    assert style.count("url(") == style.count("url(data:") + style.count('url("data:')
    assert "@import" not in style


def test_its_security_policy_forbids_every_connection(page: Response) -> None:
    policy = page.headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; script-src data: 'sha256-")
    assert "http" not in policy


def test_it_holds_the_description_that_the_other_route_serves(plane: ControlPlane, elements: Elements) -> None:
    assert json.loads(elements.texts["description"]) == plane.call("GET", "/admin/openapi.json").json


def test_it_fits_lambdas_answer_twice(page: Response) -> None:
    assert len(json.dumps(page.body)) < 3 * 1024 * 1024
