"""The index follows every change of what is public, in the transaction of the change."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from marketplace.audit.services import record
from marketplace.capabilities import queries as capability_queries
from marketplace.capabilities import services as capability_services
from marketplace.capabilities.lifecycle import CapabilityStatus
from marketplace.capabilities.models import Capability
from marketplace.kernel import clock
from marketplace.kernel.actor import Actor
from marketplace.kernel.db import db, transaction
from marketplace.kernel.outbox import OutboxRow, begin, claim, defer
from marketplace.matching.settings import take_over_shipped
from marketplace.needs import queries as need_queries
from marketplace.needs import services as need_services
from marketplace.organisations import services as organisation_services
from marketplace.organisations.models import Organisation
from marketplace.search import index, jobs, queries, sweeps, tally, vocabulary
from marketplace.search.asked import Asked
from marketplace.search.models import SearchBody, SearchDocument, SearchTally, SearchVocabulary
from tests.integration.search.conftest import FILLING, Post
from tests.integration.support import (
    a_capability,
    a_capability_draft,
    a_need,
    a_need_draft,
    an_operator,
    client_of,
    somebody,
)


def found(q: str, scope: str = "") -> list[str]:
    db.session.rollback()
    page = queries.find(Asked(q, scope), queries.ask(q), now=clock.now(), per_page=50)
    return [hit.document.title for hit in page.items]


def test_a_posting_is_found_from_its_publication_to_its_withdrawal(app: Flask, owner: Actor) -> None:
    now = clock.now()
    draft = a_capability(owner, published=False, title="旋锻空心电机轴")
    assert found("旋锻") == []
    with transaction():
        draft = capability_queries.get_own(draft.public_no, actor=owner)
        capability_services.publish(draft, by=owner, now=now)
    assert found("旋锻") == ["旋锻空心电机轴"]
    document = db.session.scalars(select(SearchDocument).where(SearchDocument.kind == "capability")).one()
    entered_at = document.entered_at
    with transaction():
        revised = a_capability_draft(title="激光熔覆轴颈", summary="激光熔覆修复。" + FILLING, keywords=())
        draft = capability_queries.get_own(draft.public_no, actor=owner)
        capability_services.revise(draft, revised, version=draft.version, by=owner, now=now)
    assert found("旋锻") == []
    assert found("激光熔覆") == ["激光熔覆轴颈"]
    db.session.expire_all()
    assert db.session.get_one(SearchDocument, document.id).entered_at == entered_at
    with pytest.raises(RuntimeError), transaction():
        capability_services.withdraw(draft, reason="产线停产，不再提供", by=owner, now=now)
        raise RuntimeError("the act was not completed")
    assert found("激光熔覆") == ["激光熔覆轴颈"]
    with transaction():
        again = db.session.get_one(Capability, draft.id)
        capability_services.withdraw(again, reason="产线停产，不再提供", by=owner, now=now)
    assert found("激光熔覆") == []


def test_what_an_organisation_is_called_and_whether_it_stands_changes_all_its_postings(
    app: Flask, owner: Actor, post: Post
) -> None:
    post("旋锻空心电机轴")
    need = a_need(owner, title="主轴管毛坯")
    assert set(found("渝州精密")) == {"渝州精密机械有限公司", "旋锻空心电机轴", "主轴管毛坯"}
    operator = an_operator()
    with transaction():
        organisation = db.session.get_one(Organisation, owner.organisation_id)
        organisation_services.suspend_organisation(
            organisation, reason="材料存疑", version=organisation.version, by=operator, now=clock.now()
        )
    assert found("渝州精密") == []
    with transaction():
        organisation = db.session.get_one(Organisation, owner.organisation_id)
        organisation_services.reinstate_organisation(
            organisation, reason="已补正", version=organisation.version, by=operator, now=clock.now()
        )
    assert len(found("渝州精密")) == 3
    with transaction():
        need_services.take_down(
            db.session.get_one(type(need), need.id), reason="含有不实内容", by=operator, now=clock.now()
        )
    assert found("主轴管") == []


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_who_renames_an_organisation_does_not_wait_for_who_edits_its_postings(
    app: Flask, owner: Actor
) -> None:
    """Both write the trail at their commit: whoever waited there for the other would wait for ever."""
    need, idle = a_need(owner, title="主轴管毛坯"), a_need(owner, title="轴承座毛坯")
    is_held, is_renamed = Event(), Event()

    def edit() -> None:
        with app.app_context(), transaction():
            need_queries.get_own(idle.public_no, actor=owner)
            mine = need_queries.get_own(need.public_no, actor=owner)
            is_held.set()
            is_renamed.wait(10)
            revised = a_need_draft(title="主轴管锻件")
            need_services.revise(mine, revised, version=mine.version, by=owner, now=clock.now())

    editing = Thread(target=edit)
    editing.start()
    is_held.wait(10)
    with transaction():
        organisation = db.session.get_one(Organisation, owner.organisation_id)
        organisation.name = "渝中锻造有限公司"
        organisation.version += 1
        record("test.change", "organisation", organisation.id, by=owner, at=clock.now())
    is_renamed.set()
    editing.join()
    # Whoever held it writes it, or the job does.
    assert found("主轴管锻件", "need") == ["主轴管锻件"]
    assert found("渝中锻造", "need") == ["主轴管锻件"]
    _do("search.catch_up")
    assert set(found("渝中锻造", "need")) == {"主轴管锻件", "轴承座毛坯"}
    assert set(index.count_drift().values()) == {0}


def test_what_is_not_public_is_in_no_column_of_the_index(app: Flask, owner: Actor) -> None:
    a_need(owner, title="壳体毛坯", max_price_fen=76_543_00, max_price_hidden=True)
    with transaction():
        organisation = db.session.get_one(Organisation, owner.organisation_id)
        organisation.contact_name, organisation.contact_phone = "金丝雀", "02398765432"
        index.ask_for_catching_up()
        record("test.change", "organisation", organisation.id, by=owner, at=clock.now())
    everything = [
        *db.session.execute(select(SearchDocument.__table__)),
        *db.session.execute(select(SearchBody.__table__)),
    ]
    text = repr(everything)
    assert "壳体毛坯" in text
    for canary in ("76543", "金丝雀", "02398765432"):
        assert canary not in text


def test_many_at_once_are_left_to_the_job_which_mends_all_drift(
    app: Flask, owner: Actor, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MOST_AT_ONCE", 2)
    ids = [post(f"旋锻轴{n}型").id for n in "甲乙丙"]
    with transaction():
        organisation = db.session.get_one(Organisation, owner.organisation_id)
        organisation.name = "渝中锻造有限公司"
        organisation.version += 1
        record("test.change", "organisation", organisation.id, by=owner, at=clock.now())
    assert found("渝中锻造") == []
    # What goes past the session is nobody's to notice but the sweep's.
    with transaction():
        statement = update(Capability).where(Capability.id == ids[0])
        db.session.execute(statement.values(status=CapabilityStatus.TAKEN_DOWN))
        db.session.execute(delete(SearchBody))
        db.session.execute(delete(SearchDocument).where(SearchDocument.subject_id == ids[1]))
    assert sum(index.count_drift().values()) >= 3
    sweeps._compared_at.clear()
    assert sweeps.list_unmended(clock.now()) == []
    with transaction():
        db.session.execute(update(OutboxRow).values(done_at=clock.now()))
    assert sweeps.list_unmended(clock.now()) != []
    sweeps.sweep()
    sweeps.sweep()
    _do("search.catch_up")
    assert sorted(found("渝中锻造")) == sorted(["旋锻轴乙型", "旋锻轴丙型", "渝中锻造有限公司"])
    assert set(index.count_drift().values()) == {0}
    assert index.find_index_fault() == ""


def _do(kind: str) -> int:
    """Run every piece of open work of a kind, as a worker would; how many there were."""
    functions = {
        "search.catch_up": jobs.catch_up,
        "search.count_words": jobs.count_words,
        "search.write_letters": jobs.write_letters,
    }
    done = 0
    for batch in claim(max_batches=20, now=clock.now() + timedelta(seconds=1)):
        if batch.kind != kind:
            continue
        lease = begin(batch.kind, batch.ids, batch.token, holder="test")
        assert lease is not None
        functions[kind](lease)
        done += len(batch.ids)
    return done


def test_counting_words_keeps_its_lease_however_long_it_takes(
    app: Flask, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("旋锻空心电机轴", "壳体精密镗削", "薄壁件热处理"):
        post(title)
    monkeypatch.setattr(vocabulary, "_BATCH", 1)
    with transaction():
        defer("search.count_words", subject_id=0)
    assert _do("search.count_words") == 1
    [row] = db.session.scalars(select(OutboxRow).where(OutboxRow.kind == "search.count_words"))
    # It is renewed after every batch, with how many documents were read.
    assert row.done_at is not None
    assert row.payload == {"done": db.session.scalar(select(SearchVocabulary.documents))}
    assert row.payload["done"] >= 3


def test_another_dictionary_has_every_document_read_anew(app: Flask, post: Post) -> None:
    post("旋锻空心电机轴")
    with transaction():
        take_over_shipped(now=clock.now())
    assert set(index.count_drift().values()) == {0}
    with transaction():
        index.forget_all()
    assert index.count_drift()["capability"] == 1


def test_commands_mend_and_tell(app: Flask, post: Post) -> None:
    post("旋锻空心电机轴")
    runner = app.test_cli_runner()
    assert runner.invoke(args=["search", "check"]).exit_code == 0
    with transaction():
        db.session.execute(delete(SearchBody))
        db.session.execute(delete(SearchDocument))
    told = runner.invoke(args=["search", "check"])
    assert told.exit_code == 1
    assert "capability: 0 份，1 份与公开内容不一致" in told.output
    assert runner.invoke(args=["search", "rebuild"]).exit_code == 0
    assert runner.invoke(args=["search", "check"]).exit_code == 0
    assert found("旋锻") == ["旋锻空心电机轴"]


def test_searches_are_counted_without_persons_and_shown_from_ten(
    app: Flask, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post("旋锻空心电机轴", keywords=("旋锻",))
    counts, documents = vocabulary.count_words()
    with transaction():
        vocabulary.store(counts, documents=documents, now=clock.now())
    client = app.test_client()
    for last in range(1, 10):
        for q in ("旋锻", "旋锻", "旋锻 13812345678"):
            client.get("/search", query_string={"q": q}, environ_base={"REMOTE_ADDR": f"192.0.2.{last}"})
    monkeypatch.setattr(tally, "SECONDS_BETWEEN_WRITES", 0.0)
    writer = client_of(app, somebody())
    writer.post("/workbench/letters/read")
    rows = [(row.words, row.searches) for row in db.session.execute(select(SearchTally.__table__))]
    assert rows == [("旋锻", 9)]
    monkeypatch.setattr(tally, "SECONDS_BETWEEN_LOOKS", 0.0)
    assert "大家在搜" not in client.get("/search").text
    client.get("/search", query_string={"q": "旋锻"}, environ_base={"REMOTE_ADDR": "192.0.2.99"})
    writer.post("/workbench/letters/read")
    assert "大家在搜" in client.get("/search").text
