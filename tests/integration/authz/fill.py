"""Bring matrix.csv up to the routes: `python -m tests.integration.authz.fill [--observed]`.

Rows of routes and states that are gone go, rows that are new come with blank cells, and answers that stand
are kept. `--observed` puts into blank cells what the application answers now, for somebody to judge:
an answer that was observed is not yet one that is due.
"""

import sys

from tests.integration.authz.runner import read_matrix, running_alone, write_matrix
from tests.integration.authz.world import ROLES


def main() -> None:
    with running_alone() as runner:
        standing = read_matrix()
        rows = {case.key: standing.get(case.key, dict.fromkeys(ROLES, "")) for case in runner.cases}
        if "--observed" in sys.argv:
            for role in ROLES:
                for case in runner.cases:
                    if not rows[case.key][role]:
                        rows[case.key][role] = runner.code_for(role, case)
        write_matrix(rows)
    blank = sum(not answer for answers in rows.values() for answer in answers.values())
    sys.stdout.write(
        f"{len(rows)} rows, {len(rows.keys() - standing.keys())} new, "
        f"{len(standing.keys() - rows.keys())} gone, {blank} blank cells\n"
    )


if __name__ == "__main__":
    main()
