"""`python -m workers`: the supervisor, until it is told to stop."""

import logging
import os
import sys

# The ranking library's threads do not survive the fork of a job, and the cores belong to the workers.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

from marketplace.config import Settings  # noqa: E402
from marketplace.factory import create_app  # noqa: E402
from marketplace.operations.queue_address import redis_url  # noqa: E402
from workers.supervisor import Supervisor  # noqa: E402


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings = Settings()
    if not redis_url(settings):
        sys.exit("REDIS_URL 未设置：请指明队列服务的地址 / REDIS_URL is not set: name the queue server")
    Supervisor(create_app(settings), settings).run()


if __name__ == "__main__":
    main()
