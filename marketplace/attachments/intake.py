"""How a view takes files in: counted, looked at and kept, and gone again where nothing came of it.

with intake.received(request.files.getlist("files"), purpose=PURPOSE, by=acting()) as uploads:
    with transaction():
        services.attach("need", need.id, "drawing", uploads, by=acting(), now=clock.now())
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from marketplace.attachments import services
from marketplace.attachments.rules import Purpose
from marketplace.attachments.services import Incoming, Upload
from marketplace.identity import throttling
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import transaction

UPLOADS = throttling.Limit("upload_account", 30, timedelta(hours=1))


@contextmanager
def received(
    files: Sequence[Incoming], *, purpose: Purpose, by: Actor, field: str = "files"
) -> Iterator[list[Upload]]:
    """The files, inspected and kept; an error inside the block takes them away again."""
    _throttle(by, sum(1 for file in files if file.filename))
    uploads = services.take_in(files, purpose=purpose, field=field)
    try:
        yield uploads
    except BaseException:
        services.discard(uploads)
        raise


def _throttle(by: Actor, count: int) -> None:
    """Each file is an attempt, counted before it is looked at; raises TooManyAttempts."""
    attempts = [(UPLOADS, str(by.user_id))]
    now = clock.now()
    with transaction():
        # A request cannot bring more than the limit refuses anyway.
        for _ in range(min(max(count, 1), UPLOADS.attempts + 1)):
            throttling.count_attempts(attempts, now=now)
    throttling.refuse_excess(attempts, now=now)
