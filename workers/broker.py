"""The queue between the outbox and the workers: ids only, as JSON, on one queue per database.

Its registries, retries, scheduler and uniqueness are not used: the outbox knows what is done. Timeouts are
short and nothing is retried here, for whoever asks can always ask again.
"""

import hashlib

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

from marketplace.kernel.outbox import Batch
from workers.jobs import seconds_for

# What is left of a job that failed is for a person with a debugger; the outbox keeps the reason.
KEEP_FAILED_SECONDS = 3600


def connect(url: str) -> Redis:
    return Redis.from_url(
        url, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0), health_check_interval=0
    )


def queue_name(database_url: str) -> str:
    """Databases that share a queue server must not get each other's ids."""
    return f"marketplace-{hashlib.sha256(database_url.encode()).hexdigest()[:8]}"


def open_queue(connection: Redis, database_url: str) -> Queue:
    return Queue(queue_name(database_url), connection=connection, serializer=JSONSerializer)


def offer(queue: Queue, batch: Batch) -> None:
    """Put a claimed batch into the queue. An error does not mean that it is not there."""
    queue.enqueue_call(
        "workers.jobs.run",
        args=(batch.kind, list(batch.ids), batch.token),
        timeout=seconds_for(batch.kind),
        result_ttl=0,
        failure_ttl=KEEP_FAILED_SECONDS,
        description=f"{batch.kind} ×{len(batch.ids)}",
    )
