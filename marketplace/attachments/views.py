"""Routes of files: the page on which an owner's files come and go, and the one door to the outside."""

from collections.abc import Iterable
from http import HTTPStatus

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from marketplace.attachments import intake, owners, presenters, queries, services, store
from marketplace.attachments.kinds import MEDIA_TYPES
from marketplace.attachments.models import Attachment
from marketplace.attachments.rules import LARGEST_UPLOAD_BYTES
from marketplace.attachments.services import RefusedFiles
from marketplace.kernel import clock
from marketplace.kernel.access import policy
from marketplace.kernel.actor import ANONYMOUS, acting
from marketplace.kernel.db import transaction
from marketplace.kernel.errors import NotFound, Obstacle
from marketplace.kernel.security import large_body

bp = Blueprint("attachments", __name__)

# Whatever a file holds, it is neither shown nor run in this site's name.
SANDBOX = "default-src 'none'; frame-ancestors 'none'; sandbox"


@bp.get("/attachments/<owner_kind>/<int:owner_id>/<purpose>")
@policy("attachment", "manage")
def manage(owner_kind: str, owner_id: int, purpose: str) -> ResponseReturnValue:
    return _page(owner_kind, owner_id, purpose)


@bp.post("/attachments/<owner_kind>/<int:owner_id>/<purpose>")
@policy("attachment", "upload")
@large_body(LARGEST_UPLOAD_BYTES)
def upload(owner_kind: str, owner_id: int, purpose: str) -> ResponseReturnValue:
    rule = owners.rule_for(owner_kind)
    wanted = rule.purpose(purpose)
    # Asked before the files are looked at, so that nobody makes us work for an owner that is not theirs.
    if not rule.may_write(owner_id, purpose, acting()):
        raise NotFound(f"{owner_kind} {owner_id}")
    try:
        files = request.files.getlist("files")
        with intake.received(files, purpose=wanted, by=acting()) as uploads, transaction():
            made = services.attach(owner_kind, owner_id, purpose, uploads, by=acting(), now=clock.now())
    except RefusedFiles as refused:
        return _page(owner_kind, owner_id, purpose, refused.obstacles, refused.status)
    flash(gettext("已上传 %(n)s 个文件", n=len(made)), "success")
    return redirect(url_for(".manage", owner_kind=owner_kind, owner_id=owner_id, purpose=purpose))


def _page(
    owner_kind: str,
    owner_id: int,
    purpose: str,
    obstacles: Iterable[Obstacle] = (),
    status: int = HTTPStatus.OK,
) -> ResponseReturnValue:
    owner = owners.rule_for(owner_kind).find(owner_id)
    section = presenters.attached_files(owner_kind, owner_id, purpose)
    if owner is None or section is None or not section.may_write:
        raise NotFound(f"{owner_kind} {owner_id}")
    page = render_template("attachments/manage.html", owner=owner, section=section, obstacles=list(obstacles))
    return make_response(page, status)


@bp.post("/attachments/<key>/remove")
@policy("attachment", "remove")
def remove(key: str) -> ResponseReturnValue:
    with transaction():
        attachment = queries.get_writable(key, actor=acting())
        services.remove(attachment, by=acting(), now=clock.now())
    store.delete(key)
    flash(gettext("文件已删除"), "success")
    return redirect(
        url_for(
            ".manage",
            owner_kind=attachment.owner_kind,
            owner_id=attachment.owner_id,
            purpose=attachment.purpose,
        )
    )


@bp.get("/files/<key>")
@policy("attachment", "download")
def download(key: str) -> ResponseReturnValue:
    """A public or shared file. A confidential one is asked for by a button, because taking it is recorded."""
    attachment = queries.get_readable(key, viewer=acting())
    if attachment.confidential:
        return render_template("attachments/confidential.html", file=attachment)
    return _send(attachment)


@bp.post("/files/<key>")
@policy("attachment", "download_confidential")
def download_confidential(key: str) -> ResponseReturnValue:
    with transaction():
        attachment = queries.get_readable(key, viewer=acting())
        if attachment.confidential:
            services.note_download(attachment, by=acting(), now=clock.now())
    return _send(attachment)


def _send(attachment: Attachment) -> ResponseReturnValue:
    if store.size_of(attachment.key) != attachment.size:
        # `flask doctor` names it; whoever asks is told the truth and no more.
        return make_response(render_template("attachments/damaged.html", file=attachment), HTTPStatus.GONE)
    rule = owners.rule_for(attachment.owner_kind)
    is_public = rule.may_read(attachment.owner_id, attachment.purpose, ANONYMOUS)
    unchanged = is_public and request.if_none_match.contains(attachment.sha256)
    response = make_response("", HTTPStatus.NOT_MODIFIED) if unchanged else _content(attachment)
    response.headers["Content-Security-Policy"] = SANDBOX
    if is_public:
        # Asked for anew each time: what everybody may read today may be taken down tomorrow.
        response.headers["Cache-Control"] = "no-cache"
        response.set_etag(attachment.sha256)
    else:
        response.headers["Cache-Control"] = "private, no-store"
    return response


def _content(attachment: Attachment) -> Response:
    return send_file(
        store.path_of(attachment.key),
        mimetype=MEDIA_TYPES[attachment.kind],
        as_attachment=True,
        download_name=attachment.name,
        conditional=False,
        etag=False,
        max_age=None,
    )
