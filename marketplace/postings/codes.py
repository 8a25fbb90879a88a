"""Codes of the reference data on postings: links of chains, what has ended, and what is posted under a code.

Not here: the codes themselves (`taxonomy`), and how a kind of posting stores them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from flask import url_for
from sqlalchemy import ColumnElement, Select, case, func, select, union_all

from marketplace.kernel.actor import Actor
from marketplace.kernel.errors import Obstacle
from marketplace.kernel.texts import N_
from marketplace.postings.listing import Facet, Option
from marketplace.taxonomy import queries as taxonomy
from marketplace.taxonomy import uses
from marketplace.taxonomy.models import Scheme

# What the halls call their filters.
_FILTERS = {
    Scheme.CLUSTER: "cluster",
    Scheme.CHAIN: "chain",
    Scheme.INDUSTRY: "industry",
    Scheme.REGION: "region",
}


class Coded(Protocol):
    """A draft that carries codes."""

    @property
    def clusters(self) -> tuple[str, ...]: ...
    @property
    def chain_links(self) -> tuple[str, ...]: ...
    @property
    def industry(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...


def ended_codes(draft: Coded) -> Iterator[Obstacle]:
    """An obstacle at each field that holds a code which no form offers any more, with what follows it."""
    held: list[tuple[str, Scheme, str | None]] = [
        *(("clusters", Scheme.CLUSTER, code) for code in draft.clusters),
        *(("chain_links", Scheme.CHAIN, code) for code in draft.chain_links),
        ("industry", Scheme.INDUSTRY, draft.industry),
        ("region", Scheme.REGION, draft.region),
    ]
    for field, scheme, code in held:
        node = taxonomy.find_node(scheme, code)
        if node is None or node.is_current:
            continue
        successor = taxonomy.find_node(scheme, taxonomy.current_code(scheme, node.code))
        if successor is not None and successor.is_current:
            yield Obstacle(
                field,
                N_("“%(name)s”已停用，由“%(successor)s”接替，请改选"),
                {"name": node.name, "successor": successor.name},
            )
        else:
            yield Obstacle(field, N_("“%(name)s”已停用，请重新选择"), {"name": node.name})


def chain_facets(link: Any, identity: Any, owner: Any) -> list[Facet]:
    """The row of choices by chain and by link, where there is any chain at all.

    `link` is the table of a posting's links, `identity` its column that names the posting, `owner` the id it
    names.
    """
    chains = {
        chain.code: taxonomy.list_nodes(Scheme.CHAIN, parent=chain.code) for chain in taxonomy.list_chains()
    }
    if not any(chains.values()):
        return []
    options = []
    for chain, links in chains.items():
        options.append(Option(chain, taxonomy.name_of(Scheme.CHAIN, chain)))
        options += [Option(node.code, taxonomy.chain_link_name(node.code)) for node in links]

    def where(code: str) -> ColumnElement[bool]:
        wanted = [code, *(node.code for node in chains.get(code, ()))]
        chosen: ColumnElement[bool] = owner.in_(select(identity).where(link.code.in_(wanted)))
        return chosen

    def group(ids: Select[Any]) -> Any:
        # A posting at two links of one chain counts once for the chain.
        found = (identity.in_(ids), link.code.in_([option.value for option in options]))
        cases = [(link.code.in_([n.code for n in links]), chain) for chain, links in chains.items() if links]
        in_chain = select(case(*cases).label("code"), identity.label("posting")).where(*found).subquery()
        return union_all(
            select(link.code, func.count()).where(*found).group_by(link.code),
            select(in_chain.c.code, func.count(in_chain.c.posting.distinct()))
            .where(in_chain.c.code.is_not(None))
            .group_by(in_chain.c.code),
        )

    return [Facet("chain", N_("产业链"), options, where, group=group)]


def use_of(
    kind: str,
    label: str,
    columns: Mapping[Scheme, tuple[Any, Any]],
    *,
    shown: Callable[[], Select[Any]],
    hall: str,
    filters: frozenset[Scheme],
) -> uses.Use:
    """What is posted under a code, counted as the hall shows it. `columns`: scheme → (code, posting's id).

    `filters` are the schemes by which the hall can be narrowed.
    """

    def seen(_actor: Actor) -> Select[Any]:
        # The hall is the same for everybody: own drafts stand in the workbench.
        return shown()

    def url(scheme: Scheme, code: str) -> str:
        node = taxonomy.find_node(scheme, code)
        if scheme not in filters or node is None or not node.is_current:
            return ""
        if (scheme is Scheme.REGION) == (node.parent_code is not None):
            return ""
        chosen: dict[str, Any] = {_FILTERS[scheme]: code}
        return url_for(hall, **chosen)

    return uses.by_columns(kind, label, columns, seen=seen, url=url)
