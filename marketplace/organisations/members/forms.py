"""The forms of members."""

from flask_babel import lazy_gettext as _l

from marketplace.kernel.actor import OrganisationRole
from marketplace.kernel.forms import Choice, Email, Form, Text
from marketplace.organisations.forms import ROLE_NAMES

ROLE_HINT = _l("管理员管成员和单位信息，经办可以填报和提交，只读只能查看")


class InvitationForm(Form):
    email = Email(
        _l("对方邮箱"),
        required=True,
        description=_l("邀请链接发到这个邮箱，7 天内有效，只能使用一次"),
        render_kw={"autocomplete": "off"},
    )
    role = Choice(
        _l("角色"),
        pairs=[(role.value, name) for role, name in ROLE_NAMES.items()],
        kind=OrganisationRole,
        default=OrganisationRole.EDITOR,
        required=True,
        radio=True,
        description=ROLE_HINT,
    )


class OtherOrganisationForm(Form):
    """Which organisation one wants to be let into beside one's own."""

    uscc = Text(
        _l("统一社会信用代码"),
        limit=40,
        required=True,
        description=_l("要加入的单位的 18 位代码；该单位的管理员确认后即可代表它"),
    )
