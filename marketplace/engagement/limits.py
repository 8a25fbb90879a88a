"""The limits that the settings name."""

from flask import current_app

from marketplace.engagement.rules import Limits


def limits() -> Limits:
    config = current_app.config
    return Limits(
        per_posting=config["INVITATIONS_PER_POSTING"],
        per_day=config["INVITATIONS_PER_DAY"],
        interests_per_day=config["INTERESTS_PER_DAY"],
        answer_days=config["ANSWER_DAYS"],
    )
