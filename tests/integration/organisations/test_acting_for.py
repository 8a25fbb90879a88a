"""For whom somebody acts: forms opened for one organisation never write into another."""

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from marketplace.capabilities.models import Capability
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor, OrganisationRole
from marketplace.kernel.db import db, transaction
from marketplace.organisations import queries
from marketplace.organisations.members import services as members
from tests import factories
from tests.integration.support import a_capability_form, client_of

NEW = "/workbench/capabilities/new"
TITLE = "只属于乙单位的旋锻能力"


class TwoFirms:
    """Somebody of a first firm who acts for a second one, in whose name a form is open."""

    def __init__(self, app: Flask) -> None:
        self.first, self.second = factories.an_sme(), factories.an_sme()
        with transaction():
            organisation = queries.get_for_change(self.second_id, viewer=self.second)
            now = clock.now()
            asked = members.request_to_join(
                organisation, role=OrganisationRole.EDITOR, by=self.first, now=now
            )
            members.accept_member(asked, role=OrganisationRole.EDITOR, by=self.second, now=now)
        self.client = client_of(app, self.first)
        self.switch(self.second_id)
        page = self.client.get(NEW).text
        self.form = a_capability_form(title=TITLE)
        self.form["for_organisation"] = hidden(page)["for_organisation"]
        assert self.form["for_organisation"] == str(self.second_id)

    @property
    def first_id(self) -> int:
        return self.first.organisation_id or 0

    @property
    def second_id(self) -> int:
        return self.second.organisation_id or 0

    def switch(self, organisation_id: int) -> None:
        # Another tab: its form names whom that tab acts for, which must not keep anybody from switching.
        sent = {"organisation_id": organisation_id, "for_organisation": "424242"}
        assert self.client.post("/workbench/organisation/switch", data=sent).status_code == 302

    def leave_second(self) -> None:
        with transaction():
            membership = queries.find_live_membership(self.first.user_id or 0, organisation_id=self.second_id)
            assert membership is not None
            members.remove_member(membership, by=self.second, now=clock.now())


def hidden(page: str) -> dict[str, str]:
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in pairs}


def sent_again(page: str) -> MultiDict[str, str]:
    """What the form of a page sends, but for its token."""
    _, _, form = page.partition(f'<form method="post" action="{NEW}')
    inputs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form)
    areas = re.findall(r'<textarea name="([^"]+)" hidden>\n([^<]*)</textarea>', form)
    pairs = [(name, unescape(value)) for name, value in inputs + areas if name != "csrf_token"]
    return MultiDict(pairs)


def owners() -> list[int]:
    return list(db.session.scalars(select(Capability.organisation_id)))


@pytest.fixture
def firms(app: Flask) -> TwoFirms:
    return TwoFirms(app)


def test_a_form_is_taken_for_the_organisation_it_was_opened_for(firms: TwoFirms) -> None:
    assert firms.client.post(NEW, data=firms.form).status_code == 302
    assert owners() == [firms.second_id]


@pytest.mark.parametrize("named", [True, False])
def test_who_was_removed_writes_into_no_other_organisation(firms: TwoFirms, named: bool) -> None:
    firms.leave_second()
    if not named:
        del firms.form["for_organisation"]
    page = firms.client.post(NEW, data=firms.form)
    assert page.status_code == (409 if named else 403)
    assert owners() == []
    if named:
        assert TITLE in page.text
        assert "switch_organisation" not in page.text


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_address_that_leads_nowhere_switches_nothing_and_leads_nowhere(firms: TwoFirms) -> None:
    firms.switch(firms.first_id)
    sent = {"for_organisation": str(firms.second_id), "switch_organisation": "1"}
    for path in ("//evil.example/phish", "/nowhere"):
        answer = firms.client.post("/", data=sent, environ_overrides={"PATH_INFO": path})
        assert urlsplit(answer.headers.get("Location", "")).hostname in (None, "localhost")
        assert answer.status_code in (308, 404)
    assert f'name="for_organisation" value="{firms.first_id}"' in firms.client.get(NEW).text


def test_who_was_removed_acts_for_nobody_until_they_choose(firms: TwoFirms) -> None:
    firms.leave_second()
    page = firms.client.get("/workbench/organisation")
    assert "请选择要代表的单位" in page.text
    assert f'<option value="{firms.second_id}"' not in page.text
    assert firms.client.get(NEW).status_code == 403
    firms.switch(firms.first_id)
    assert firms.client.get(NEW).status_code == 200


def test_nobody_leaves_an_organisation_that_they_do_not_act_for(firms: TwoFirms) -> None:
    firms.leave_second()
    assert firms.client.post("/workbench/organisation/leave").status_code == 404
    assert queries.find_live_membership(firms.first.user_id or 0, organisation_id=firms.first_id)


@pytest.mark.parametrize("partial", [True, False])
def test_a_switch_in_a_second_tab_stops_the_form_of_the_first(firms: TwoFirms, partial: bool) -> None:
    firms.switch(firms.first_id)
    headers = {"HX-Request": "true"} if partial else {}
    page = firms.client.post(NEW, data=firms.form, headers=headers)
    assert page.status_code == 409
    assert owners() == []


def test_switching_back_takes_along_all_that_was_typed(firms: TwoFirms) -> None:
    firms.switch(firms.first_id)
    firms.form["summary"] = "第一行写用途和工艺，\r\n第二行写“指标”与<公差>。"
    again = sent_again(firms.client.post(NEW, data=firms.form).text)
    typed = MultiDict({**firms.form, "switch_organisation": "1"})
    assert sorted(again.items(multi=True)) == sorted(typed.items(multi=True))
    led = firms.client.post(NEW, data=again)
    assert led.status_code == 307
    assert firms.client.post(led.headers["Location"], data=again).status_code == 302
    assert owners() == [firms.second_id]


def test_forms_about_the_person_are_theirs_whomever_they_act_for(firms: TwoFirms) -> None:
    sent = {"name": "廖航", "phone": "023-60001111", "for_organisation": str(firms.first_id)}
    assert firms.client.post("/workbench/account", data=sent).status_code == 302


def test_a_form_that_names_nobody_is_taken_as_it_is(firms: TwoFirms) -> None:
    del firms.form["for_organisation"]
    assert firms.client.post(NEW, data=firms.form).status_code == 302
    assert owners() == [firms.second_id]


def test_a_registration_sent_twice_registers_once(app: Flask, client: FlaskClient) -> None:
    person = factories.a_person()
    stranger = Actor(user_id=person.id, name=person.name)
    asked = client_of(app, stranger)
    sent = {"uscc": "91110000600037341L", "name": "双击机械厂"}
    before = queries.find_live_membership
    # Both have looked before either has written: the look outside of the transaction finds nothing.
    with pytest.MonkeyPatch.context() as patch:
        calls: list[int] = []

        def blind_at_first(user_id: int, *, organisation_id: int | None = None) -> object:
            calls.append(user_id)
            return None if len(calls) == 1 else before(user_id, organisation_id=organisation_id)

        for _ in range(2):
            calls.clear()
            patch.setattr(queries, "find_live_membership", blind_at_first)
            led = asked.post("/workbench/organisation/register", data=sent)
            assert led.status_code == 302
    assert led.headers["Location"] == "/workbench/organisation"
    assert len(queries.list_organisations_of(person.id)) == 1
