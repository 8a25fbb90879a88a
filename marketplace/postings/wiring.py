"""How this feature is wired into the application."""

from flask import Flask

from marketplace.kernel.texts import N_
from marketplace.notifications.kinds import Group, register_all
from marketplace.postings import permissions  # noqa: F401 - names the audiences
from marketplace.postings.pages import bp

# What is written about a posting of any kind.
LETTERS = {
    Group.BINDING: {
        "take_down": N_("发布内容被下架"),
        "restore": N_("下架内容已恢复"),
        "reject": N_("恢复申请未通过"),
    },
    Group.WORK: {"appeal": N_("有下架内容申请恢复")},
    Group.POSTINGS: {"lapse_soon": N_("发布内容即将到期"), "lapse_over": N_("发布内容已到期")},
}


def wire(app: Flask) -> None:
    """Register what the feature brings; each kind of posting registers itself."""
    app.register_blueprint(bp)
    for kind in ("challenge", "need", "capability"):
        for group, labels in LETTERS.items():
            register_all(group, {f"{kind}.{event}": label for event, label in labels.items()})
