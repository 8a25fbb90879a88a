"""A small corpus in both scripts and two languages."""

from collections.abc import Callable
from typing import Any

import pytest

from marketplace.capabilities.models import Capability
from marketplace.kernel.actor import Actor
from tests.integration.support import a_capability, an_editor

# A summary has a least length; this says nothing that anybody looks for.
FILLING = "本条仅供试读，别无他意，余不赘述，恕不另行说明。"

Post = Callable[..., Capability]


@pytest.fixture
def owner(app: Any) -> Actor:
    return an_editor(name="渝州精密机械有限公司")


@pytest.fixture
def post(owner: Actor) -> Post:
    """Publish a capability that says what it is told to and nothing else."""

    def publish(title: str, summary: str = "详见附图。", **changes: Any) -> Capability:
        bare: dict[str, Any] = {"keywords": (), "parameters": (), "certificates": ()}
        return a_capability(owner, title=title, summary=summary + FILLING, **{**bare, **changes})

    return publish
