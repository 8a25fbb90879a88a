"""How gunicorn runs the marketplace; `--bind` and the environment say where and how large.

Threads wait for the database and the client most of the time. Every process ends with its parent, so that a
killed launcher leaves no web server behind.
"""

import os
from typing import Any

from workers import processes

worker_class = "gthread"
workers = int(os.environ.get("WEB_PROCESSES", "1"))
threads = int(os.environ.get("WEB_THREADS", "4"))
timeout = 60
graceful_timeout = 8
keepalive = 5
# An upload waits in memory at most until the body limit; headers are small.
limit_request_line = 4094
limit_request_field_size = 8190
accesslog = "-" if os.environ.get("ACCESS_LOG") else None
errorlog = "-"
control_socket_disable = True


def post_fork(_server: Any, _worker: Any) -> None:
    processes.die_with_parent()
