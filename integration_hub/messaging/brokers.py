"""What carries the kicks: django-q2's brokers, by the database's clock and with a bound on how many kicks may wait.

A kick is worth nothing by itself (the watchdog kicks again), so what is too much is dropped.
"""

from __future__ import annotations

import logging
import time
from typing import Any

import redis
from django.db import connections
from django.db.models.functions import Now
from django_q.brokers.orm import ORM
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf

logger = logging.getLogger(__name__)

MOST = 50
PATIENCE = 3.0

_ENQUEUE = """
INSERT INTO django_q_ormq (key, payload, lock) SELECT %s, %s, statement_timestamp()
WHERE (SELECT count(*) FROM (SELECT 1 FROM django_q_ormq WHERE key = %s LIMIT %s) waiting) < %s RETURNING id
"""
# taken is gone: a cluster whose monitor was killed acknowledges nothing, and what it took would fill the queue
_DEQUEUE = """
DELETE FROM django_q_ormq WHERE id = (
  SELECT id FROM django_q_ormq WHERE key = %s AND lock <= statement_timestamp()
  ORDER BY lock, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, payload
"""


class DatabaseKicks(ORM):  # type: ignore[misc]  # django-q2 has no types
    """Kicks as rows.  django-q2's own broker compares with the clock of the host, so hosts apart in time starve each other."""

    def enqueue(self, task: str) -> int | None:
        """The id of the row; None where enough kicks wait."""
        self.get_connection()  # drops a connection that is of no use any more
        with connections[Conf.ORM].cursor() as cursor:
            cursor.execute(_ENQUEUE, [self.list_key, task, self.list_key, MOST, MOST])
            row = cursor.fetchone()
        return int(row[0]) if row else None

    def dequeue(self) -> list[tuple[int, str]] | None:
        self.get_connection()
        with connections[Conf.ORM].cursor() as cursor:
            cursor.execute(_DEQUEUE, [self.list_key])
            row = cursor.fetchone()
        if row:
            return [(int(row[0]), str(row[1]))]
        time.sleep(Conf.POLL)
        return None

    def queue_size(self) -> int:
        return int(self.get_connection().filter(key=self.list_key, lock__lte=Now()).count())

    def lock_size(self) -> int:
        return int(self.get_connection().filter(key=self.list_key, lock__gt=Now()).count())


class RedisKicks(Redis):  # type: ignore[misc]  # django-q2 has no types
    """Kicks as a list in Redis.  Redis may go and come back: the cluster outlives it, and rows wait in the database."""

    @staticmethod
    def get_connection(list_key: str | None = None) -> redis.Redis:
        return redis.from_url(Conf.REDIS, socket_connect_timeout=PATIENCE, socket_timeout=PATIENCE)

    def enqueue(self, task: str) -> Any:
        """Add a kick and cut the list: with nobody to take them they would grow for ever."""
        pipe = self.connection.pipeline()
        pipe.rpush(self.list_key, task)
        pipe.ltrim(self.list_key, 0, MOST - 1)
        return pipe.execute()[0]

    def dequeue(self) -> Any:
        try:
            return super().dequeue()
        except redis.RedisError as error:
            logger.warning("Redis does not answer: %s", type(error).__name__)
            time.sleep(1)
            return None

    def ping(self) -> bool:
        """Asked once, when a cluster starts: it starts without Redis, too."""
        return True

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Nobody reads django-q2's own status (it stays green over a dead cluster), so its guard need not wait for Redis."""
