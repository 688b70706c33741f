"""docs/settings.md."""

import pytest

from infra.config import from_context
from infra.settings_doc import PATH, render
from warmstart.errors import InvalidSetting


def test_the_document_is_what_the_settings_say() -> None:
    assert PATH.read_text() == render(), "run: python -m infra.settings_doc"


@pytest.mark.parametrize("context", [{"memory_mb": "64"}, {"memry_mb": "512"}])
def test_the_refusals_in_the_document_are_the_real_ones(context: dict[str, object]) -> None:
    with pytest.raises(InvalidSetting) as caught:
        from_context(context)

    assert f"    warmstart: {caught.value.message}\n" in render()
