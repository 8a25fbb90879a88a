"""Two stories beside the files: a workshop that the platform entered after a visit, and a claim that waits.

Own writing, invented organisations. Not here: what organisations say of themselves (`content`).
"""

from dataclasses import replace
from datetime import timedelta

from marketplace.capabilities import services as capabilities
from marketplace.capabilities.rules import CapabilityDraft
from marketplace.demo.cast import Cast
from marketplace.demo.content import made_up_code
from marketplace.demo.stories import Calendar, Story, hand_in_licence
from marketplace.kernel.dates import business_date
from marketplace.kernel.money import FEN_PER_WAN
from marketplace.organisations import services as organisations
from marketplace.organisations.assisted import services as assisted
from marketplace.organisations.assisted.services import ConsentDraft
from marketplace.organisations.claims import queries as claim_queries
from marketplace.organisations.claims import services as claims
from marketplace.organisations.kinds import ConsentChannel, OrganisationKind, OrganisationSize
from marketplace.organisations.queries import find_unclaimed, get_organisation
from marketplace.organisations.rules import OrganisationDraft

KEY = "yuxi-heat"
FIRM = OrganisationDraft(
    name="重庆渝溪热处理厂",
    short_name="渝溪热处理",
    size=OrganisationSize.MICRO,
    employees=14,
    revenue_fen=420 * FEN_PER_WAN,
    region="500113",
    address="重庆市巴南区界石镇",
    summary="承接中小批量渗碳、渗氮和高频淬火，井式渗碳炉两台，自有金相显微镜和显微硬度计。",
    contact_name="田守成",
    contact_phone="023-00000113",
    contact_email="tian@yuxi-heat.example.com",
    clusters=("A3",),
)
OFFER = CapabilityDraft(
    title="小模数齿轮渗碳淬火",
    summary="小模数齿轮和轴类件的井式渗碳淬火，按图控制有效硬化层深，每炉附金相和硬度记录。",
    cooperation=("supply",),
    keywords=("渗碳", "淬火", "齿轮"),
    clusters=("A3",),
    region="500113",
)
CLAIMANT, COLLECTED = "chenyue-bearing", "重庆叠杉粉末冶金有限公司"
STATEMENT = "叠杉粉末冶金是我公司 2021 年并入的含油轴承车间的旧名，设备和人员都在我公司名下。"


def entered_firm(cast: Cast, calendar: Calendar) -> Story:
    """An official visits, the owner agrees, the operator types; the capability is left to the firm."""
    now = yield calendar.ago(16, KEY)
    operator = cast.operator(now)
    consent, _ = assisted.start_for(
        FIRM.name,
        made_up_code(KEY, OrganisationKind.ENTERPRISE, FIRM.region or ""),
        ConsentDraft(
            given_by=FIRM.contact_name,
            given_position="厂长",
            given_on=business_date(now),
            channel=ConsentChannel.ON_SITE,
            scope=("organisation", "capability"),
            note="走访车间时当面同意，由平台代为登记单位信息和热处理能力。",
        ),
        by=operator,
        now=now,
    )
    now = yield now + timedelta(minutes=25)
    firm = consent.organisation
    draft = replace(FIRM, uscc=firm.uscc)
    organisations.update_organisation(firm, draft, version=firm.version, by=operator, now=now)
    hand_in_licence(firm.id, by=operator, now=now)
    organisations.submit_organisation(firm, by=operator, now=now)
    now = yield calendar.ago(15, KEY)
    organisations.verify_organisation(
        firm, confirmed=(), version=firm.version, by=cast.operator(now), now=now
    )
    now = yield now + timedelta(minutes=20)
    actor = assisted.acting_for_firm(consent, "capability", by=cast.operator(now))
    offer = capabilities.start_draft(OFFER, by=actor, now=now)
    assisted.note_entry(consent, "capability", offer.id, by=actor, now=now)


def waiting_claim(cast: Cast, calendar: Calendar) -> Story:
    now = yield calendar.ago(4, COLLECTED)
    manager = cast.manager(CLAIMANT, now)
    collected = find_unclaimed(COLLECTED)
    assert collected is not None
    target = claim_queries.get_claimable(collected.id)
    claimant = get_organisation(manager.organisation_id or 0, viewer=manager)
    claims.file_claim(target, claimant, statement=STATEMENT, by=manager, now=now)
