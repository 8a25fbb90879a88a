"""The pages of engagement as each side, and whoever is neither, gets them."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from marketplace.engagement import sweeps
from marketplace.engagement.lifecycle import ApproachStatus as S
from marketplace.engagement.models import Approach, Dismissal, MatchEvent, Note
from marketplace.kernel import clock
from marketplace.kernel.dates import business_date
from marketplace.kernel.db import db
from tests.integration.engagement.world import (
    CANARIES,
    MESSAGE,
    SEEKER_PHONE,
    SUPPLIER_PHONE,
    World,
    accept,
    invite,
    let_run_out,
    reread,
)
from tests.integration.support import an_auditor, an_operator, client_of

IN_TEN_DAYS = timedelta(days=10)


def text_of(response, status=200):
    assert response.status_code == status, response.status_code
    return response.get_data(as_text=True)


def typed(**changes):
    day = (business_date(clock.now()) + IN_TEN_DAYS).isoformat()
    return {"message": MESSAGE, "contact": "organisation", "expires_on": day, **changes}


def count(entity):
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(entity))


@pytest.fixture
def world(app):
    return World()


def test_from_the_shortlist_to_opened_contacts(app, world):
    run = world.rank()
    seeker, supplier = client_of(app, world.seeker), client_of(app, world.supplier)
    base, own = f"/workbench/needs/{world.need_no}", world.own_no
    shortlist = f"/workbench/matching/needs/{world.need_no}"

    page = text_of(seeker.get(shortlist))
    assert f"{base}/invite?capability={own}" in page
    assert "本项已邀请 0 / 20 家" in page
    # A reader looks, an operator looks: neither is offered what they may not do.
    for other in (world.reader_of(world.seeker), an_operator(), an_auditor()):
        assert "/invite" not in text_of(client_of(app, other).get(shortlist))
    lines = re.search(r'data-lines="([^"]+)"', page)[1].split(",")
    assert sorted(lines) == sorted(f"{run.public_no}~{c.public_no}" for c in (world.own, world.other))
    for _ in range(2):
        assert seeker.post("/workbench/matching/seen", data={"line": lines}).status_code == 204
    assert count(MatchEvent) == 2
    assert seeker.post("/workbench/matching/seen", data={"line": ["x", "a~b~c", "~"]}).status_code == 204

    form = text_of(seeker.get(f"{base}/invite?capability={own}&capability=NL-none"))
    assert "可以邀请" in form
    assert SEEKER_PHONE in form  # what would be opened, to those whose it is
    assert SUPPLIER_PHONE not in form
    refused = text_of(seeker.post(f"{base}/invite", data=typed(capability=own, message="短短")), 422)
    assert "短短" in refused
    assert "至少 10 个字" in refused
    assert seeker.post(f"{base}/invite", data=typed(capability=own)).status_code == 302
    taken = text_of(seeker.post(f"{base}/invite", data=typed(capability=own)), 409)
    assert "没有发出任何邀请" in taken
    assert MESSAGE in taken
    assert count(Approach) == 1

    number = db.session.scalars(select(Approach.public_no)).one()
    address = f"/workbench/approaches/{number}"
    assert address in text_of(supplier.get("/workbench/invitations/received"))
    assert address in text_of(seeker.get("/workbench/invitations/sent?status=sent&posting=needs"))
    assert address not in text_of(seeker.get("/workbench/invitations/sent?status=accepted"))
    assert "答复 1 份邀请" in text_of(supplier.get("/workbench"))
    assert address in text_of(supplier.get(f"/needs/{world.need_no}"))
    for outsider in (world.rival, world.stranger, an_operator(), an_auditor()):
        other = client_of(app, outsider)
        expected = 404 if outsider.organisation_id else 403
        for path in ("", "/accept", "/decline", "/withdraw", "/close-contact"):
            response = other.post(address + path) if path else other.get(address)
            assert response.status_code == expected, (outsider, path)
    # Before both agree nobody is shown anything, on no page of either side.
    for client, theirs in ((seeker, SUPPLIER_PHONE), (supplier, SEEKER_PHONE)):
        pages = (
            address,
            shortlist,
            f"/needs/{world.need_no}",
            f"/capabilities/{own}",
            "/workbench",
            "/workbench/letters",
        )
        for path in pages:
            assert theirs not in text_of(client.get(path)), path
        for box in ("received", "sent", "interests"):
            file = client.post(f"/exports/engagement.{box}", data={"format": "csv"})
            assert (number in text_of(file)) == (
                (client is supplier) == (box == "received") and box != "interests"
            )
            assert not any(canary in text_of(file) for canary in (*CANARIES, MESSAGE))
    bad = text_of(supplier.post(f"{address}/decline", data={"reason_code": "other", "reason": ""}), 422)
    assert "请写明理由" in bad
    assert supplier.post(f"{address}/accept", data={"contact": "organisation"}).status_code == 302
    for client in (seeker, supplier):
        page = text_of(client.get(address))
        assert all(canary in page for canary in CANARIES)
    late = text_of(seeker.post(f"{address}/withdraw"), 409)
    assert "您的操作没有执行" in late
    assert "已同意" in late
    assert seeker.post(f"{address}/close-contact").status_code == 302
    assert SEEKER_PHONE not in text_of(supplier.get(address))
    assert SUPPLIER_PHONE in text_of(seeker.get(address))


def test_no_contact_of_a_challenge_is_read_by_who_has_not_agreed(app, world):
    from tests.factories import a_challenge

    challenge = a_challenge(contact_name="金丝雀丙", contact_phone="023-63330003")
    for reader in (world.supplier, an_operator(), an_auditor()):
        page = text_of(client_of(app, reader).get(f"/challenges/{challenge.public_no}"))
        assert "63330003" not in page
        assert "金丝雀丙" not in page


def test_a_supplier_shows_interest_or_passes(app, world):
    world.rank()
    supplier, seeker = client_of(app, world.supplier), client_of(app, world.seeker)
    base = f"/workbench/needs/{world.need_no}"
    fits = "/workbench/matching/fits?kind=needs"
    page = text_of(supplier.get(fits))
    assert f"{base}/interest?capability={world.own_no}" in page
    wrong = {"capability": world.own_no, "reason_code": "", "reason": "说不清楚的理由"}
    refused = text_of(supplier.post(f"{base}/dismissals", data=wrong), 422)
    assert "请选择“理由”" in refused
    assert "说不清楚的理由" in refused
    chosen = {**wrong, "reason_code": "schedule", "next": fits}
    assert supplier.post(f"{base}/dismissals", data=chosen).location == fits
    assert "已表示暂不参与：时间来不及" in text_of(supplier.get(fits))
    assert "对方暂不参与" in text_of(seeker.get(f"/workbench/matching/needs/{world.need_no}"))
    dismissal = db.session.scalars(select(Dismissal.id)).one()
    assert client_of(app, world.rival).post(f"/workbench/dismissals/{dismissal}/undo").status_code == 404
    assert supplier.post(f"/workbench/dismissals/{dismissal}/undo", data={"next": fits}).status_code == 302
    assert supplier.post(f"/workbench/dismissals/{dismissal}/undo").status_code == 409

    assert "凭哪项能力" in text_of(supplier.get(f"{base}/interest"))
    assert text_of(supplier.post(f"{base}/interest", data=typed(capability="NL-none")), 422)
    sent = supplier.post(f"{base}/interest", data=typed(capability=world.own_no))
    assert sent.status_code == 302
    assert text_of(supplier.post(f"{base}/interest", data=typed(capability=world.own_no)), 409)
    assert seeker.get(f"{base}/interest").status_code == 404
    assert supplier.get(f"{base}/invite").status_code == 404
    box = text_of(seeker.get("/workbench/interests?direction=received"))
    assert sent.location in box
    assert "没有符合条件的" in text_of(seeker.get("/workbench/interests?direction=sent"))
    assert "答复 1 份意向" in text_of(seeker.get("/workbench"))

    note = {"capability": world.own_no, "text": "先看样件，金丝雀备注", "next": sent.location}
    assert seeker.post(f"{base}/notes", data=note).location == sent.location
    assert "金丝雀备注" in text_of(seeker.get(sent.location))
    assert "金丝雀备注" not in text_of(supplier.get(sent.location))
    assert text_of(seeker.post(f"{base}/notes", data={**note, "text": "长" * 1001}), 422)
    note_id = db.session.scalars(select(Note.id)).one()
    assert supplier.post(f"/workbench/notes/{note_id}/remove").status_code == 404
    assert client_of(app, world.colleague).post(f"/workbench/notes/{note_id}/remove").status_code == 403
    assert seeker.post(f"/workbench/notes/{note_id}/remove").status_code == 302
    assert count(Note) == 0


def test_boxes_say_what_to_do_where_there_is_nothing_and_the_clock_is_right(app, world):
    stranger = client_of(app, world.stranger)
    for box, said in (
        ("invitations/received", "还没有收到邀请"),
        ("invitations/sent", "还没有发出邀请"),
        ("interests", "还没有意向"),
    ):
        assert said in text_of(stranger.get(f"/workbench/{box}"))
        assert stranger.get(f"/workbench/{box}?status=nonsense&posting=x&page=99").status_code == 200
        assert client_of(app, an_operator()).get(f"/workbench/{box}").status_code == 403
        assert app.test_client().get(f"/workbench/{box}").status_code == 302
    (invitation,) = invite(world)
    let_run_out(invitation)
    supplier = client_of(app, world.supplier)
    page = text_of(supplier.get("/workbench/invitations/received?status=expired"))
    assert "已过期" in page
    assert text_of(
        supplier.post(f"/workbench/approaches/{invitation.public_no}/accept", data={"contact": "person"}), 409
    )
    sweeps.sweep()
    assert reread(invitation).status is S.EXPIRED


def test_an_unclaimed_firm_is_shown_with_why_it_cannot_be_invited(app, world):
    from marketplace.organisations.lifecycle import OrganisationStatus
    from tests.integration.engagement.test_services import set_standing

    set_standing(world.supplier, OrganisationStatus.UNCLAIMED)
    page = text_of(
        client_of(app, world.seeker).get(f"/workbench/needs/{world.need_no}/invite?capability={world.own_no}")
    )
    assert "尚未入驻认领" in page


# --- the funnel -------------------------------------------------------------------------------------------


STAGES = ("发布", "有推荐", "已展示", "已查看", "已邀请", "已答复", "已同意")


def test_the_funnel_counts_what_was_lived_in_a_fixed_number_of_statements(app, world, count_statements):
    world.rank()
    operator = client_of(app, an_operator())
    for address in ("/workbench/funnel", "/workbench/funnel/rows"):
        assert client_of(app, world.seeker).get(address).status_code == 403
    assert "还没有展示记录" in text_of(operator.get("/workbench/funnel"))
    with count_statements() as statements:
        operator.get("/workbench/funnel")
    before = len(statements)
    (invitation,) = invite(world)
    accept(invitation, by=world.supplier)
    second = World()
    invite(second)
    for dimension in ("month", "cluster", "region"):
        with count_statements() as statements:
            page = text_of(operator.get(f"/workbench/funnel?by={dimension}&months=3"))
        assert len(statements) == before
    rows = dict(re.findall(r'<tr><th scope="row">([^<]+)</th><td class="num">(?:<a[^>]*>)?(\d+)', page))
    assert [rows[name] for name in STAGES] == ["2", "2", "2", "2", "2", "1", "1"]
    assert world.supplier.organisation_name in page

    def behind(figure):
        found = text_of(operator.get(f"/workbench/funnel/rows?{figure}"))
        assert not any(canary in found for canary in (*CANARIES, MESSAGE))
        return int(re.search(r"共 <b>(\d+)</b>", found)[1])

    # Every number leads to its rows, and there are as many of them.
    assert behind("what=stage&value=agreed") == 1
    assert behind("what=stage&value=posted&by=cluster&key=A1") == 2
    assert behind(f"what=stage&value=posted&by=month&key={business_date(clock.now()):%Y-%m}") == 2
    assert behind("what=stage&value=posted&by=region&key=500112&kind=challenge") == 0
    assert behind("what=waiting&value=0") == 1
    assert behind("what=silent&value=0") == 0
    assert behind(f"what=firm&value={world.supplier.organisation_id}") == 1
    assert sum(behind(f"what=capable&value={count}") for count in range(4)) == 2
    for name, query in (
        ("funnel", "by=cluster"),
        ("funnel_rows", "what=waiting"),
        ("funnel_rows", "what=stage"),
    ):
        address = f"/exports/oversight.{name}?{query}"
        assert client_of(app, world.seeker).post(address, data={"format": "csv"}).status_code == 404
        file = text_of(operator.post(address, data={"format": "csv"}))
        assert len(file.splitlines()) > 1
        assert not any(canary in file for canary in (*CANARIES, MESSAGE))
    for hostile in ("what=firm&value=x", "what=nonsense", "what=waiting&value=99999", "cluster=%00&key='"):
        assert operator.get(f"/workbench/funnel/rows?{hostile}").status_code in (200, 400, 404)
