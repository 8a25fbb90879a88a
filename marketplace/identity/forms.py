"""The forms of signing in, registering and passwords."""

from flask_babel import lazy_gettext as _l

from marketplace.identity.rules import LONGEST_PASSWORD, SHORTEST_PASSWORD
from marketplace.kernel.forms import Email, Flag, Form, LongText, Password, Phone, Text

PASSWORD_HINT = _l(
    "%(least)s–%(most)s 个字符，不含姓名和邮箱名；三四个不相干的词连起来就很好",
    least=SHORTEST_PASSWORD,
    most=LONGEST_PASSWORD,
)


class SignInForm(Form):
    email = Email(_l("邮箱"), required=True, render_kw={"autocomplete": "username"})
    password = Password(_l("密码"), limit=1000, required=True, render_kw={"autocomplete": "current-password"})


class AddressForm(Form):
    email = Email(_l("邮箱"), required=True, render_kw={"autocomplete": "email"})


class NewPasswordForm(Form):
    # Longer ones come through to the rule, so that its message names the limit.
    password = Password(
        _l("新密码"),
        limit=1000,
        required=True,
        description=PASSWORD_HINT,
        render_kw={"autocomplete": "new-password"},
    )
    again = Password(
        _l("再输一次新密码"), limit=1000, required=True, render_kw={"autocomplete": "new-password"}
    )


class PersonForm(NewPasswordForm):
    name = Text(_l("姓名"), limit=60, required=True, render_kw={"autocomplete": "name"})
    phone = Phone(_l("联系电话"), required=True, render_kw={"autocomplete": "tel"})
    password = Password(
        _l("设置密码"),
        limit=1000,
        required=True,
        description=PASSWORD_HINT,
        render_kw={"autocomplete": "new-password"},
    )
    again = Password(
        _l("再输一次密码"), limit=1000, required=True, render_kw={"autocomplete": "new-password"}
    )
    terms = Flag(_l("我已阅读并同意《用户协议》"), required=True, must=_l("请先阅读并同意《用户协议》"))
    privacy = Flag(_l("我已阅读并同意《隐私政策》"), required=True, must=_l("请先阅读并同意《隐私政策》"))


class ProfileForm(Form):
    name = Text(_l("姓名"), limit=60, required=True, render_kw={"autocomplete": "name"})
    phone = Phone(_l("联系电话"), required=True, render_kw={"autocomplete": "tel"})


class ChangePasswordForm(NewPasswordForm):
    current = Password(
        _l("现在的密码"), limit=1000, required=True, render_kw={"autocomplete": "current-password"}
    )


class NewCodeForm(Form):
    """The first code of an app that is being set up."""

    code = Text(
        _l("动态码"),
        limit=40,
        required=True,
        description=_l("身份验证器应用里显示的 6 位数字"),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )


class SecondStepForm(Form):
    code = Text(
        _l("动态码"),
        limit=40,
        required=True,
        description=_l("身份验证器应用里的 6 位数字；手机不在身边时，输入一个恢复码"),
        render_kw={"autocomplete": "one-time-code"},
    )


class ProofForm(Form):
    """The password anew, before something delicate; with the second factor where there is one."""

    password = Password(_l("密码"), limit=1000, required=True, render_kw={"autocomplete": "current-password"})


class FullProofForm(ProofForm, SecondStepForm):
    pass


class NewAddressForm(Form):
    email = Email(
        _l("新邮箱"),
        required=True,
        description=_l("确认链接发到新邮箱；打开并确认之前，仍用原来的邮箱登录"),
        render_kw={"autocomplete": "email"},
    )


class ConsentForm(Form):
    terms = Flag(_l("我已阅读并同意《用户协议》"), required=True, must=_l("请先阅读并同意《用户协议》"))
    privacy = Flag(_l("我已阅读并同意《隐私政策》"), required=True, must=_l("请先阅读并同意《隐私政策》"))


class AccountReasonForm(Form):
    reason = LongText(_l("理由"), limit=500, required=True)
