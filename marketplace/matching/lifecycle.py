"""The life of what an operator sets: the weights of the score, and the dictionary that texts are read by.

Of what was accepted the latest is in force; nothing that was ever in force is changed or deleted.
"""

from enum import StrEnum

from marketplace.kernel.lifecycle import Lifecycle, Transition
from marketplace.kernel.party import Party
from marketplace.kernel.texts import N_


class SettingStatus(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"


S = SettingStatus
_OPERATOR = frozenset({Party.OPERATOR})
_MOVES = (
    Transition("accept", (S.PROPOSED,), S.ACCEPTED, _OPERATOR, N_("采用"), reason=True),
    Transition("withdraw", (S.PROPOSED,), S.WITHDRAWN, _OPERATOR, N_("撤回提案"), reason=True, danger=True),
)
_LABELS: dict[StrEnum, str] = {S.PROPOSED: N_("待采用"), S.ACCEPTED: N_("已采用"), S.WITHDRAWN: N_("已撤回")}


def _life(thing: str) -> Lifecycle:
    return Lifecycle(
        thing,
        SettingStatus,
        *_MOVES,
        # What comes with the program is accepted from the first.
        initial=(S.PROPOSED, S.ACCEPTED),
        labels=_LABELS,
        path=(S.PROPOSED, S.ACCEPTED),
        detours={S.WITHDRAWN: S.ACCEPTED},
    )


WEIGHTS = _life("weights")
DICTIONARY = _life("dictionary")
