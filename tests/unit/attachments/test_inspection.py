"""Every file of the corpus, judged by what it holds; names and sizes are judged by the service."""

import io

import pytest

from marketplace.attachments.inspection import Unfit, inspect
from marketplace.attachments.kinds import EXTENSIONS, FileKind
from marketplace.attachments.rules import clean_name, extension_of
from tests.corpus.files import CASES, TAKEN, Case, image, pdf

NAMED = [case for case in CASES if extension_of(clean_name(case.name)) in EXTENSIONS and case.id != "empty"]


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case.id)
def test_what_a_file_holds(case: Case) -> None:
    kind = EXTENSIONS[extension_of(clean_name(case.name))]
    if case.status == TAKEN or "over the limit" in case.id:
        inspect(io.BytesIO(case.content), kind)
        return
    with pytest.raises(Unfit) as refused:
        inspect(io.BytesIO(case.content), kind)
    assert refused.value.status == case.status
    said = refused.value.message % {**refused.value.params, "file": case.name}
    assert case.says in said
    assert said.startswith(f"“{case.name}”")


def test_the_stream_is_handed_back_at_its_beginning() -> None:
    for kind, content in ((FileKind.PDF, pdf()), (FileKind.PNG, image("PNG"))):
        stream = io.BytesIO(content)
        inspect(stream, kind)
        assert stream.read() == content
