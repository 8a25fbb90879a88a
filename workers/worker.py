"""One worker process of the queue: `python -m workers.worker`, started and kept alive by the supervisor.

It imports the application and the engine, opens no connection to the database, and forks a child for each
job. A job that kills its child is noted in the outbox at once.
"""

import logging
import os
import signal
from typing import Any

from rq import Queue, Worker
from rq.job import Job
from rq.serializers import JSONSerializer

from marketplace.config import Settings
from marketplace.factory import create_app
from marketplace.operations.queue_address import redis_url
from workers import broker, jobs, processes


class OutboxWorker(Worker):
    """RQ's worker with children that end with it and deaths that are told to the outbox."""

    # After an outage of the queue nobody should wait for a minute.
    max_connection_wait_time = 2.0

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        processes.die_with_parent(signal.SIGKILL, parent=self.pid)
        super().main_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Job, retpid: int, ret_val: int, rusage: Any) -> None:
        kind, _ids, token = job.args
        # In a child, because this process is to stay without a connection that a fork would share.
        child = os.fork()
        if child == 0:
            try:
                jobs.note_death(kind, token, f"the process of the job died (wait status {ret_val})")
            finally:
                os._exit(0)
        os.waitpid(child, 0)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    settings = Settings()
    jobs.prepare(create_app(settings))
    connection = broker.connect(redis_url(settings))
    worker = OutboxWorker(
        [broker.open_queue(connection, settings.resolved_database_url)],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=35,
        maintenance_interval=15,
        job_monitoring_interval=5,
        log_job_description=False,
    )
    worker.work(logging_level="WARNING")


if __name__ == "__main__":
    main()
